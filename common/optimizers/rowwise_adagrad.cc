#include "common/optimizers/rowwise_adagrad.h"

#include <cmath>

#include "common/optimizers/elementwise.h"
#include "common/optimizers/parameter_check.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr uint32_t kSumLanes = 8;

class RowwiseAdagrad final : public RangeRule {
 public:
  RowwiseAdagrad(const OptimizerSettings& settings, uint32_t columns)
      : terms_(TermsFrom(settings)),
        initial_accumulator_(
            static_cast<float>(settings.config.rowwise_adagrad().initial_accumulator())),
        epsilon_(static_cast<float>(settings.config.rowwise_adagrad().epsilon())),
        columns_(columns) {}

  std::vector<Slot> slots() const override { return {{"a", 1, initial_accumulator_}}; }

  void Apply(const UpdateScalars& scalars, const float* gradient, float* weights,
             float* slots) const override {
    const UpdatePiece piece = {gradient, weights, weights, nullptr, columns_};
    const float mean = SumOfSquares(scalars.inverse_count, piece) / static_cast<float>(columns_);
    slots[0] += mean;
    const float rate = scalars.learning_rate;
    const float divisor = std::sqrt(slots[0]) + epsilon_;
    UpdateElements<0>(terms_, scalars.inverse_count, piece,
                      [rate, divisor](float w, float g) { return w - rate * g / divisor; });
  }

 private:
  // Of the gradient as UpdateElements makes it from the same terms.
  float SumOfSquares(float inverse_count, const UpdatePiece& piece) const {
    const UnalignedFloat* const gradient = piece.gradient;
    const UnalignedFloat* const weights = piece.weights_in;
    const auto square = [&](uint32_t i) {
      const float w = weights[i];
      float g = gradient[i] * inverse_count;
      if (terms_.clip != 0) g = Clamp(g, terms_.clip);
      if (terms_.l1 != 0 || terms_.l2 != 0) g += terms_.l2 * w + WithSignOf(w, terms_.l1);
      return g * g;
    };
    float lanes[kSumLanes] = {};
    uint32_t i = 0;
    for (; i + kSumLanes <= columns_; i += kSumLanes) {
      for (uint32_t lane = 0; lane < kSumLanes; ++lane) lanes[lane] += square(i + lane);
    }
    for (uint32_t lane = 0; i < columns_; ++i, ++lane) lanes[lane] += square(i);
    for (uint32_t half = kSumLanes / 2; half > 0; half /= 2) {
      for (uint32_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
    }
    return lanes[0];
  }

  const GradientTerms terms_;
  const float initial_accumulator_;
  const float epsilon_;
  const uint32_t columns_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RangeRule>> MakeRowwiseAdagrad(const OptimizerSettings& settings,
                                                              uint32_t columns) {
  CONVOY_RETURN_IF_ERROR(CheckCommonSettings(settings));
  const v1::RowwiseAdagrad& config = settings.config.rowwise_adagrad();
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.rowwise_adagrad.initial_accumulator",
                                          config.initial_accumulator()));
  CONVOY_RETURN_IF_ERROR(CheckPositive("optimizer.rowwise_adagrad.epsilon", config.epsilon()));
  return std::make_unique<RowwiseAdagrad>(settings, columns);
}

}  // namespace convoy
