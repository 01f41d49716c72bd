// Weights in files, whichever kind of file: a checkpoint, or one safetensors file of this or
// another program. What a training can begin with.
#ifndef CONVOY_COMMON_CHECKPOINT_WEIGHT_ARCHIVE_H_
#define CONVOY_COMMON_CHECKPOINT_WEIGHT_ARCHIVE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace convoy {

// Any thread; nothing changes once it is open.
class WeightArchive {
 public:
  struct Variable {
    std::string name;
    std::vector<uint64_t> shape;     // outermost first
    std::vector<std::string> slots;  // names, e.g. {"m", "v"}
  };
  struct Table {
    struct Columns {
      std::string name;  // weights: "RANGE"; slots: "RANGE/SLOT"
      uint32_t size = 0;
    };
    std::string name;
    uint32_t dim = 0;
    std::vector<Columns> ranges;  // left to right; empty: not known
    std::vector<Columns> slots;   // left to right; empty: none are stored
    uint64_t rows = 0;
  };
  // Rows of a table, in an unspecified order.
  struct Rows {
    std::span<const uint64_t> ids;
    std::span<const float> weights;      // row-major [ids, dim]
    std::span<const float> slots;        // row-major [ids, floats of all slots]; empty: none
    std::span<const uint32_t> counters;  // [ids, 2]: step of the last change, updates; empty: none
  };

  virtual ~WeightArchive() = default;

  virtual const std::string& path() const = 0;
  virtual const std::vector<Variable>& variables() const = 0;
  virtual const std::vector<Table>& tables() const = 0;

  // Values [first, first + out.size()) of a variable, row-major; `slot`: of that slot instead of
  // the weights. DataLoss: the file is damaged. OutOfRange: there are fewer values.
  virtual absl::Status Read(size_t variable, std::optional<size_t> slot, uint64_t first,
                            std::span<float> out) const = 0;
  // All rows of a table, some thousands at a time, until `fn` returns an error.
  virtual absl::Status ReadRows(size_t table,
                                absl::FunctionRef<absl::Status(const Rows&)> fn) const = 0;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_WEIGHT_ARCHIVE_H_
