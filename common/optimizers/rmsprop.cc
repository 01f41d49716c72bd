#include "common/optimizers/rmsprop.h"

#include "common/optimizers/elementwise.h"
#include "common/optimizers/parameter_check.h"
#include "common/status.h"

namespace convoy {
namespace {

class RmsProp final : public Optimizer {
 public:
  explicit RmsProp(const OptimizerSettings& settings)
      : terms_(TermsFrom(settings)),
        decay_(static_cast<float>(settings.config.rmsprop().decay())),
        epsilon_(static_cast<float>(settings.config.rmsprop().epsilon())) {}

  std::vector<std::string> slot_names() const override { return {"s"}; }
  float initial_slot_value(int) const override { return 0; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    const float rate = scalars.learning_rate;
    const float decay = decay_, rest = 1 - decay_, epsilon = epsilon_;
    UpdateElements<1>(terms_, scalars.inverse_count, piece,
                      [rate, decay, rest, epsilon](float w, float g, float& s) {
                        s = decay * s + rest * (g * g);
                        return w - rate * g / (std::sqrt(s) + epsilon);
                      });
  }

 private:
  const GradientTerms terms_;
  const float decay_;
  const float epsilon_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeRmsProp(const OptimizerSettings& settings) {
  const v1::RmsProp& config = settings.config.rmsprop();
  CONVOY_RETURN_IF_ERROR(CheckDecay("optimizer.rmsprop.decay", config.decay()));
  CONVOY_RETURN_IF_ERROR(CheckPositive("optimizer.rmsprop.epsilon", config.epsilon()));
  return std::make_unique<RmsProp>(settings);
}

}  // namespace convoy
