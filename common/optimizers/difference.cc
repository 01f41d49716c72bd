#include "common/optimizers/difference.h"

#include "common/optimizers/anchored.h"
#include "common/optimizers/elementwise.h"

namespace convoy {
namespace {

class Difference final : public Optimizer {
 public:
  Difference(DifferenceRule rule, bool anchored) : rule_(rule), anchored_(anchored) {}

  std::vector<std::string> slot_names() const override {
    return anchored_ ? std::vector<std::string>{kAnchorSlot} : std::vector<std::string>();
  }
  float initial_slot_value(int) const override { return kNotAnchored; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    const float factor = rule_ == DifferenceRule::kAverage ? scalars.inverse_count : 1.0f;
    UpdateElements<0>({}, factor, piece, [](float w, float difference) { return w + difference; });
  }

 private:
  const DifferenceRule rule_;
  const bool anchored_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeDifference(DifferenceRule rule, const OptimizerSettings& settings) {
  return std::make_unique<Difference>(rule, settings.anchor != 0);
}

}  // namespace convoy
