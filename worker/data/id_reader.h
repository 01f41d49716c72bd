// Text whose features are ids without an upper bound, line by line: what libffm text, libsvm text
// with ids and Criteo's click logs have in common.
#ifndef CONVOY_WORKER_DATA_ID_READER_H_
#define CONVOY_WORKER_DATA_ID_READER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "worker/data/bad_lines.h"
#include "worker/data/byte_source.h"

namespace convoy {

// The largest id; hashed ones are below it.
inline constexpr uint64_t kMaxId = uint64_t{1} << 63;

// The id of a text among those of a name: xxh3(text) with the seed `name`, without its lowest bit.
uint64_t HashedId(std::string_view text, uint64_t name);

// Some examples. `row_ends[i]`: where row i's entries end in the spans, counted from the first
// entry of this piece. `fields`: from 0.
struct IdRows {
  std::vector<float> labels;
  std::vector<int64_t> row_ends;
  std::span<const uint64_t> ids;
  std::span<const uint16_t> fields;
  std::span<const float> values;
};

// What a whole file held.
struct IdSummary {
  uint64_t rows = 0;
  uint64_t entries = 0;
  uint64_t fields = 0;          // largest field + 1; 0: the format has none
  uint64_t fields_line = 0;     // where the largest field came first, from 1
  uint64_t bad_lines = 0;       // skipped
  uint64_t first_bad_line = 0;  // from 1; 0: none
};

// Parses blocks of whole lines. One thread.
class IdParser {
 public:
  virtual ~IdParser() = default;

  // The examples of `lines`, which must end with '\n'. The result is valid until the next call.
  // InvalidArgument: "NAME:LINE: ..." a line that can't be read, beyond max_bad_lines.
  absl::StatusOr<const IdRows*> Parse(std::span<const char> lines);

  const IdSummary& summary() const { return summary_; }
  uint64_t lines() const { return line_; }
  const BadLines& bad_lines() const { return bad_lines_; }

 protected:
  // `least_bytes`: that an entry takes in the text. `has_fields`: false for formats without.
  IdParser(std::string name, uint64_t max_bad_lines, size_t least_bytes, bool has_fields)
      : least_bytes_(least_bytes),
        has_fields_(has_fields),
        bad_lines_(std::move(name), max_bad_lines, "data.max_bad_lines") {}

  // Whether the line holds no example. `line`: its first byte.
  virtual bool IsNoExample(const char* line) const = 0;
  // Adds the entries of the line and sets its label. InvalidArgument: what is wrong, without file
  // and line.
  virtual absl::Status ParseLine(const char* line, float* label) = 0;

  void Add(uint64_t id, uint16_t field, float value) {
    ids_[filled_] = id;
    fields_[filled_] = field;
    values_[filled_++] = value;
  }
  // The entries of the current line so far.
  std::span<const uint64_t> line_ids() const { return Line(ids_); }
  std::span<const uint16_t> line_fields() const { return Line(fields_); }

 private:
  template <typename T>
  std::span<const T> Line(const std::vector<T>& all) const {
    return std::span(all).subspan(line_begin_, filled_ - line_begin_);
  }
  void MakeRoom(size_t entries);
  absl::Status AddLine(const char* line);
  void NoteFields();

  const size_t least_bytes_;
  const bool has_fields_;
  BadLines bad_lines_;
  uint64_t line_ = 0;  // lines begun
  IdSummary summary_;
  IdRows rows_;
  // Room for every entry that a block can hold; filled_ of it are used.
  std::vector<uint64_t> ids_;
  std::vector<uint16_t> fields_;
  std::vector<float> values_;
  size_t filled_ = 0;
  size_t line_begin_ = 0;
};

// Reads all of `source` and gives its examples to `sink`, in order. InvalidArgument: as above, or a
// line longer than 64 MiB, or a file without examples; or what `sink` returned.
absl::StatusOr<IdSummary> ReadIds(ByteSource& source, IdParser& parser,
                                  absl::FunctionRef<absl::Status(const IdRows&)> sink);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_ID_READER_H_
