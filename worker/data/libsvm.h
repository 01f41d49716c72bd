// libsvm / svmlight text: one example a line, "label index:value index:value ...", "#" begins a
// comment. Format: https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets.
#ifndef CONVOY_WORKER_DATA_LIBSVM_H_
#define CONVOY_WORKER_DATA_LIBSVM_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "worker/data/bad_lines.h"
#include "worker/data/byte_source.h"

namespace convoy {

// Some examples. `row_ends[i]`: where row i's entries end in columns and values, counted from the
// first entry of this piece.
struct LibsvmRows {
  std::vector<float> labels;
  std::vector<int64_t> row_ends;
  std::span<const uint32_t> columns;  // from 0, ascending within a row
  std::span<const float> values;
};

struct LibsvmOptions {
  bool zero_based = false;
  uint64_t max_bad_lines = 0;  // lines that may be skipped
};

// What a whole file held.
struct LibsvmSummary {
  uint64_t rows = 0;
  uint64_t entries = 0;
  uint64_t columns = 0;         // largest column + 1, 0 without entries
  uint64_t columns_line = 0;    // where the largest column came first, from 1
  uint64_t bad_lines = 0;       // skipped
  uint64_t first_bad_line = 0;  // from 1; 0: none
};

// Parses blocks of whole lines. One thread.
class LibsvmParser {
 public:
  // `name` is for errors.
  LibsvmParser(std::string name, const LibsvmOptions& options)
      : base_(options.zero_based ? 0 : 1),
        bad_lines_(std::move(name), options.max_bad_lines, "data.max_bad_lines") {}

  // The examples of `lines`, which must end with '\n' (a carriage return before it is skipped, as
  // are blank lines and comments). The result is valid until the next call.
  // InvalidArgument: "NAME:LINE: ..." a line beyond max_bad_lines that has something that is not a
  // number, NaN, infinite or beyond float32, an index that is 0 (unless zero_based), above 2^32 -
  // 1, repeated or not ascending, a qid.
  absl::StatusOr<const LibsvmRows*> Parse(std::span<const char> lines);

  const LibsvmSummary& summary() const { return summary_; }
  uint64_t lines() const { return line_; }
  const BadLines& bad_lines() const { return bad_lines_; }

 private:
  // Their errors are without file and line, which Parse puts before them.
  absl::Status ParseLine(const char* at);
  absl::Status ParseEntry(const char** cursor, int64_t* previous);
  absl::Status CheckIndex(const char* token, uint64_t index, int64_t previous) const;
  absl::Status ParseValue(const char** cursor, const char* what, float* value) const;

  const uint32_t base_;
  BadLines bad_lines_;
  uint64_t line_ = 0;  // lines begun
  LibsvmSummary summary_;
  LibsvmRows rows_;
  // Room for every entry that a block can hold; filled_ of it are used.
  std::vector<uint32_t> columns_;
  std::vector<float> values_;
  size_t filled_ = 0;
};

// Reads all of `source` and gives its examples to `sink`, in order. InvalidArgument: as above, or a
// line longer than 64 MiB, or a file without examples; or what `sink` returned.
absl::StatusOr<LibsvmSummary> ReadLibsvm(ByteSource& source, const std::string& name,
                                         const LibsvmOptions& options,
                                         absl::FunctionRef<absl::Status(const LibsvmRows&)> sink);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_LIBSVM_H_
