#include "common/optimizers/adam.h"

#include "absl/strings/str_cat.h"
#include "common/optimizers/elementwise.h"
#include "common/optimizers/parameter_check.h"
#include "common/status.h"

namespace convoy {
namespace {

struct AdamParameters {
  double beta1, beta2, epsilon, weight_decay;
};

class Adam final : public Optimizer {
 public:
  Adam(GradientTerms terms, const AdamParameters& parameters)
      : terms_(terms),
        beta1_(static_cast<float>(parameters.beta1)),
        beta2_(static_cast<float>(parameters.beta2)),
        epsilon_(parameters.epsilon),
        weight_decay_(parameters.weight_decay) {}

  std::vector<std::string> slot_names() const override { return {"m", "v"}; }
  float initial_slot_value(int) const override { return 0; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    const double t = static_cast<double>(scalars.update);
    const double correction1 = 1 - std::pow(double{beta1_}, t);
    const double correction2 = std::sqrt(1 - std::pow(double{beta2_}, t));
    const float rate = static_cast<float>(scalars.learning_rate * correction2 / correction1);
    const float epsilon = static_cast<float>(epsilon_ * correction2);
    const float decay = static_cast<float>(scalars.learning_rate * weight_decay_);
    const float beta1 = beta1_, rest1 = 1 - beta1_;
    const float beta2 = beta2_, rest2 = 1 - beta2_;
    UpdateElements<2>(terms_, scalars.inverse_count, piece,
                      [=](float w, float g, float& m, float& v) {
                        m = beta1 * m + rest1 * g;
                        v = beta2 * v + rest2 * (g * g);
                        return w - rate * m / (std::sqrt(v) + epsilon) - decay * w;
                      });
  }

 private:
  const GradientTerms terms_;
  const float beta1_;
  const float beta2_;
  const double epsilon_;
  const double weight_decay_;
};

absl::StatusOr<std::unique_ptr<Optimizer>> Make(const char* name, const OptimizerSettings& settings,
                                                const AdamParameters& parameters) {
  CONVOY_RETURN_IF_ERROR(CheckDecay(absl::StrCat("optimizer.", name, ".beta1"), parameters.beta1));
  CONVOY_RETURN_IF_ERROR(CheckDecay(absl::StrCat("optimizer.", name, ".beta2"), parameters.beta2));
  CONVOY_RETURN_IF_ERROR(
      CheckPositive(absl::StrCat("optimizer.", name, ".epsilon"), parameters.epsilon));
  return std::make_unique<Adam>(TermsFrom(settings), parameters);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdam(const OptimizerSettings& settings) {
  const v1::Adam& config = settings.config.adam();
  return Make("adam", settings, {config.beta1(), config.beta2(), config.epsilon(), 0});
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdamW(const OptimizerSettings& settings) {
  const v1::AdamW& config = settings.config.adamw();
  return Make("adamw", settings,
              {config.beta1(), config.beta2(), config.epsilon(), settings.weight_decay});
}

}  // namespace convoy
