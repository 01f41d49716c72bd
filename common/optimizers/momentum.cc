#include "common/optimizers/momentum.h"

#include "common/optimizers/elementwise.h"
#include "common/optimizers/parameter_check.h"
#include "common/status.h"

namespace convoy {
namespace {

template <bool kNesterov>
class Momentum final : public Optimizer {
 public:
  Momentum(const OptimizerSettings& settings, double momentum)
      : terms_(TermsFrom(settings)), momentum_(static_cast<float>(momentum)) {}

  std::vector<std::string> slot_names() const override { return {"v"}; }
  float initial_slot_value(int) const override { return 0; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    const float rate = scalars.learning_rate;
    const float momentum = momentum_;
    UpdateElements<1>(terms_, scalars.inverse_count, piece,
                      [rate, momentum](float w, float g, float& v) {
                        v = momentum * v + g;
                        return w - rate * (kNesterov ? g + momentum * v : v);
                      });
  }

 private:
  const GradientTerms terms_;
  const float momentum_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeMomentum(const OptimizerSettings& settings) {
  const double momentum = settings.config.momentum().momentum();
  CONVOY_RETURN_IF_ERROR(CheckDecay("optimizer.momentum.momentum", momentum));
  return std::make_unique<Momentum<false>>(settings, momentum);
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeNesterov(const OptimizerSettings& settings) {
  const double momentum = settings.config.nesterov().momentum();
  CONVOY_RETURN_IF_ERROR(CheckDecay("optimizer.nesterov.momentum", momentum));
  return std::make_unique<Momentum<true>>(settings, momentum);
}

}  // namespace convoy
