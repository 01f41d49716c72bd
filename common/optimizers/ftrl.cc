#include "common/optimizers/ftrl.h"

#include <cstring>
#include <limits>

#include "common/optimizers/elementwise.h"
#include "common/optimizers/parameter_check.h"
#include "common/status.h"

namespace convoy {
namespace {

class Ftrl final : public Optimizer {
 public:
  explicit Ftrl(const OptimizerSettings& settings)
      : clip_(static_cast<float>(settings.clip_value)),
        l1_(static_cast<float>(settings.l1)),
        l2_(static_cast<float>(settings.l2)),
        beta_(static_cast<float>(settings.config.ftrl().beta())) {}

  std::vector<std::string> slot_names() const override { return {"z", "n"}; }
  float initial_slot_value(int) const override { return 0; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    if (scalars.learning_rate < std::numeric_limits<float>::min()) return Copy(piece);
    const float inverse_rate = 1 / scalars.learning_rate;
    const float l1 = l1_, l2 = l2_, beta = beta_;
    UpdateElements<2>({.clip = clip_}, scalars.inverse_count, piece,
                      [=](float w, float g, float& z, float& n) {
                        const float square = g * g;
                        n += square;
                        const float c = (beta + std::sqrt(n)) * inverse_rate + l2;
                        const float from_weight = -(c * w + WithSignOf(w, l1));
                        const float next_z = Select(w != 0.0f, from_weight, z) + g;
                        const float next_w = (Clamp(next_z, l1) - next_z) / c;
                        // Also keeps 0 / 0 out when beta and l2 are 0. A NaN passes.
                        const bool still = square == 0.0f;
                        z = Select(still, z, next_z);
                        return Select(still, w, next_w);
                      });
  }

 private:
  static void Copy(const UpdatePiece& piece) {
    if (piece.size == 0 || piece.weights_out == piece.weights_in) return;
    std::memcpy(piece.weights_out, static_cast<const void*>(piece.weights_in),
                static_cast<size_t>(piece.size) * sizeof(float));
  }

  const float clip_;
  const float l1_;
  const float l2_;
  const float beta_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeFtrl(const OptimizerSettings& settings) {
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.ftrl.beta", settings.config.ftrl().beta()));
  return std::make_unique<Ftrl>(settings);
}

}  // namespace convoy
