// A text file in blocks of whole lines.
#ifndef CONVOY_WORKER_DATA_LINE_BLOCKS_H_
#define CONVOY_WORKER_DATA_LINE_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/byte_source.h"

namespace convoy {

// One thread.
class LineBlocks {
 public:
  // `source` and `name` (for errors) outlive the blocks.
  LineBlocks(ByteSource& source, const std::string& name) : source_(source), name_(name) {}

  // The next lines, ending with '\n' (a last line without an end gets one); valid until the next
  // call; empty at the end of the source. `line`: number of the next line, for errors.
  // InvalidArgument: a line longer than 64 MiB; else errors of `source`.
  absl::StatusOr<std::span<const char>> Next(uint64_t line);

 private:
  void DropLines();
  absl::Status Fill();

  ByteSource& source_;
  const std::string& name_;
  std::vector<char> buffer_;
  size_t filled_ = 0;
  size_t lines_ = 0;  // bytes of whole lines handed out
  bool ended_ = false;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_LINE_BLOCKS_H_
