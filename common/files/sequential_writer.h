// Writes a file from its front to its end, past the page cache where it is large, and takes its
// checksum on the way. A checkpoint is seldom read again, and the copy into the cache would take
// more of the processor from the training than all else that saving does.
#ifndef CONVOY_COMMON_FILES_SEQUENTIAL_WRITER_H_
#define CONVOY_COMMON_FILES_SEQUENTIAL_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/files/file_hash.h"
#include "common/files/owned_fd.h"

struct XXH3_state_s;

namespace convoy {

// One thread.
class SequentialWriter {
 public:
  // Bytes that are gathered and written at once; less than that goes through the cache.
  static constexpr size_t kPiece = size_t{1} << 20;

  // `file` is `path`, open for writing and empty; it outlives the writer.
  SequentialWriter(const OwnedFd& file, std::string path);
  ~SequentialWriter();
  SequentialWriter(const SequentialWriter&) = delete;
  SequentialWriter& operator=(const SequentialWriter&) = delete;

  // Bytes so far: the next one's offset.
  uint64_t size() const { return written_ + gathered_; }
  absl::Status Append(std::string_view data);
  // What is still gathered goes to `file` (not to the disk: that is fsync's). Nothing comes after.
  absl::Status Finish();
  // Of what was appended.
  FileHash hash() const;

 private:
  absl::Status WriteGathered();
  // False: it is too little, the file system has no direct writing, or it has failed.
  bool WroteDirectly();

  const OwnedFd& file_;
  const std::string path_;
  std::unique_ptr<XXH3_state_s, void (*)(XXH3_state_s*)> state_;
  std::unique_ptr<char, void (*)(void*)> piece_;  // kPiece bytes from its first use on
  size_t gathered_ = 0;                           // bytes in `piece_`
  uint64_t written_ = 0;                          // bytes in the file
  OwnedFd direct_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_SEQUENTIAL_WRITER_H_
