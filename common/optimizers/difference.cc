#include "common/optimizers/difference.h"

#include "common/optimizers/elementwise.h"

namespace convoy {
namespace {

class Difference final : public Optimizer {
 public:
  explicit Difference(DifferenceRule rule) : rule_(rule) {}

  std::vector<std::string> slot_names() const override { return {}; }
  float initial_slot_value(int) const override { return 0; }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    const float factor = rule_ == DifferenceRule::kAverage ? scalars.inverse_count : 1.0f;
    UpdateElements<0>({}, factor, piece, [](float w, float difference) { return w + difference; });
  }

 private:
  const DifferenceRule rule_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeDifference(DifferenceRule rule) {
  return std::make_unique<Difference>(rule);
}

}  // namespace convoy
