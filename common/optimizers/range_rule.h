// How one column range of a table's row is updated. Unlike an Optimizer, a rule sees the range as a
// whole, so it may keep state for all of its columns together.
#ifndef CONVOY_COMMON_OPTIMIZERS_RANGE_RULE_H_
#define CONVOY_COMMON_OPTIMIZERS_RANGE_RULE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/optimizers/optimizer.h"

namespace convoy {

// Immutable; may be used from any thread.
class RangeRule {
 public:
  // A slot of the range: `size` floats that start as `initial`, named as the slots of optimizers
  // are.
  struct Slot {
    std::string name;
    uint32_t size = 0;
    float initial = 0;
  };

  virtual ~RangeRule() = default;

  // The slots in the order in which they stand in a row.
  virtual std::vector<Slot> slots() const = 0;
  // One update in place. gradient: the sum over examples, at any address; weights: the columns of
  // the range; slots: those of slots(), one after the other. UpdateScalars::update counts the
  // updates of this row. Clipping and penalties as Optimizer::Apply.
  virtual void Apply(const UpdateScalars& scalars, const float* gradient, float* weights,
                     float* slots) const = 0;
};

// The rule of a range of `columns` >= 1 columns. InvalidArgument: as MakeOptimizer, but
// rowwise_adagrad is welcome.
absl::StatusOr<std::unique_ptr<RangeRule>> MakeRangeRule(const OptimizerSettings& settings,
                                                         uint32_t columns);
// An elementwise rule of at most 2 slots, on `columns` columns.
std::unique_ptr<RangeRule> MakeRangeRule(std::unique_ptr<Optimizer> optimizer, uint32_t columns);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_RANGE_RULE_H_
