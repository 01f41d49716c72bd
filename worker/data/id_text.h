// libffm text, "label field:id:value field:id:value ...", and libsvm text whose indices are ids,
// "label id:value id:value ...". "#" begins a comment.
// Format: https://github.com/ycjuan/libffm ("Data Format").
#ifndef CONVOY_WORKER_DATA_ID_TEXT_H_
#define CONVOY_WORKER_DATA_ID_TEXT_H_

#include <cstdint>
#include <string>

#include "worker/data/id_reader.h"
#include "worker/data/repeats.h"

namespace convoy {

enum class IdTextFormat { kLibffm, kLibsvm };

// Ids go up to 2^63, fields (from 0) up to 65,535. Entries of a line may come in any order; several
// ids of one field are allowed. A line is bad if it has the same id twice in one field, a larger id
// or field, what is not a number, NaN, infinity or a value beyond float32. A line may have no
// entries. A carriage return at its end, blank lines and comments are skipped.
class IdTextParser final : public IdParser {
 public:
  IdTextParser(IdTextFormat format, std::string name, uint64_t max_bad_lines);

 protected:
  bool IsNoExample(const char* line) const override;
  absl::Status ParseLine(const char* line, float* label) override;

 private:
  absl::Status ParseEntry(const char** cursor);
  absl::Status CheckRepeats();

  const IdTextFormat format_;
  Repeats repeats_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_ID_TEXT_H_
