#include "common/optimizers/adagrad.h"

#include "common/optimizers/elementwise.h"
#include "common/optimizers/parameter_check.h"
#include "common/status.h"

namespace convoy {
namespace {

class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(const OptimizerSettings& settings)
      : terms_(TermsFrom(settings)),
        initial_accumulator_(static_cast<float>(settings.config.adagrad().initial_accumulator())),
        epsilon_(static_cast<float>(settings.config.adagrad().epsilon())) {}

  std::vector<std::string> slot_names() const override { return {"a"}; }
  float initial_slot_value(int) const override { return initial_accumulator_; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    const float rate = scalars.learning_rate;
    const float epsilon = epsilon_;
    UpdateElements<1>(terms_, scalars.inverse_count, piece,
                      [rate, epsilon](float w, float g, float& a) {
                        a += g * g;
                        return w - rate * g / (std::sqrt(a) + epsilon);
                      });
  }

 private:
  const GradientTerms terms_;
  const float initial_accumulator_;
  const float epsilon_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdagrad(const OptimizerSettings& settings) {
  const v1::Adagrad& config = settings.config.adagrad();
  CONVOY_RETURN_IF_ERROR(
      CheckNotNegative("optimizer.adagrad.initial_accumulator", config.initial_accumulator()));
  CONVOY_RETURN_IF_ERROR(CheckPositive("optimizer.adagrad.epsilon", config.epsilon()));
  return std::make_unique<Adagrad>(settings);
}

}  // namespace convoy
