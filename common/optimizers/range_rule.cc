#include "common/optimizers/range_rule.h"

#include <array>
#include <cstddef>
#include <utility>

#include "common/optimizers/anchored.h"
#include "common/optimizers/rowwise_adagrad.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr size_t kMaxSlots = 2;  // of all elementwise rules

// Each slot has one float for each column.
class ElementwiseRule final : public RangeRule {
 public:
  ElementwiseRule(std::unique_ptr<Optimizer> optimizer, uint32_t columns)
      : optimizer_(std::move(optimizer)),
        num_slots_(static_cast<size_t>(optimizer_->num_slots())),
        columns_(columns) {}

  std::vector<Slot> slots() const override {
    std::vector<Slot> result;
    const std::vector<std::string> names = optimizer_->slot_names();
    for (int i = 0; i < static_cast<int>(names.size()); ++i) {
      result.push_back(
          {names[static_cast<size_t>(i)], columns_, optimizer_->initial_slot_value(i)});
    }
    return result;
  }

  void Apply(const UpdateScalars& scalars, const float* gradient, float* weights,
             float* slots) const override {
    std::array<float*, kMaxSlots> pointers;
    for (size_t i = 0; i < num_slots_; ++i) pointers[i] = slots + i * columns_;
    optimizer_->Apply(scalars, {gradient, weights, weights, pointers.data(), columns_});
  }

 private:
  const std::unique_ptr<Optimizer> optimizer_;
  const size_t num_slots_;
  const uint32_t columns_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RangeRule>> MakeRangeRule(const OptimizerSettings& settings,
                                                         uint32_t columns) {
  CONVOY_RETURN_IF_ERROR(CheckCommonSettings(settings));
  const OptimizerSettings bare = WithoutAnchor(settings);
  std::unique_ptr<RangeRule> rule;
  if (bare.config.has_rowwise_adagrad()) {
    CONVOY_ASSIGN_OR_RETURN(rule, MakeRowwiseAdagrad(bare, columns));
  } else {
    CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer, MakeOptimizer(bare));
    if (static_cast<size_t>(optimizer->num_slots()) > kMaxSlots) {
      return absl::InternalError("optimizer: more slots than a row of a table provides for");
    }
    rule = MakeRangeRule(std::move(optimizer), columns);
  }
  if (settings.anchor != 0) rule = MakeAnchored(std::move(rule), settings, columns);
  return rule;
}

std::unique_ptr<RangeRule> MakeRangeRule(std::unique_ptr<Optimizer> optimizer, uint32_t columns) {
  return std::make_unique<ElementwiseRule>(std::move(optimizer), columns);
}

}  // namespace convoy
