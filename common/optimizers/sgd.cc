#include "common/optimizers/sgd.h"

#include "common/optimizers/elementwise.h"

namespace convoy {
namespace {

class Sgd final : public Optimizer {
 public:
  explicit Sgd(const OptimizerSettings& settings) : terms_(TermsFrom(settings)) {}

  std::vector<std::string> slot_names() const override { return {}; }
  float initial_slot_value(int) const override { return 0; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    const float rate = scalars.learning_rate;
    UpdateElements<0>(terms_, scalars.inverse_count, piece,
                      [rate](float w, float g) { return w - rate * g; });
  }

 private:
  const GradientTerms terms_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeSgd(const OptimizerSettings& settings) {
  return std::make_unique<Sgd>(settings);
}

}  // namespace convoy
