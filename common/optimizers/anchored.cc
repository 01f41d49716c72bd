#include "common/optimizers/anchored.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "common/optimizers/elementwise.h"

namespace convoy {
namespace {

constexpr int64_t kPiece = 2048;  // floats: stays in the level 1 cache
constexpr size_t kMaxInnerSlots = 4;

// Writes the mean gradient of [0, size), clipped, with the pull of the anchors.
class AnchorPull {
 public:
  explicit AnchorPull(const OptimizerSettings& settings)
      : strength_(static_cast<float>(settings.anchor)),
        clip_(static_cast<float>(settings.clip_value)) {}

  void Add(const float* gradient, float inverse_count, const float* weights, const float* anchors,
           int64_t size, float* out) const {
    if (clip_ != 0) {
      AddTo<true>(gradient, inverse_count, weights, anchors, size, out);
    } else {
      AddTo<false>(gradient, inverse_count, weights, anchors, size, out);
    }
  }

 private:
  template <bool kClip>
  void AddTo(const float* unaligned_gradient, float inverse_count, const float* unaligned_weights,
             const float* anchors, int64_t size, float* out) const {
    const UnalignedFloat* const gradient = unaligned_gradient;
    const UnalignedFloat* const weights = unaligned_weights;
    const float strength = strength_, clip = clip_;
    CONVOY_INDEPENDENT_ITERATIONS
    for (int64_t i = 0; i < size; ++i) {
      float g = gradient[i] * inverse_count;
      if constexpr (kClip) g = Clamp(g, clip);
      const bool none =
          std::bit_cast<uint32_t>(anchors[i]) == std::bit_cast<uint32_t>(kNotAnchored);
      out[i] = g + Select(none, 0.0f, strength * (weights[i] - anchors[i]));
    }
  }

  const float strength_;
  const float clip_;
};

class AnchoredOptimizer final : public Optimizer {
 public:
  AnchoredOptimizer(std::unique_ptr<Optimizer> rule, const OptimizerSettings& settings)
      : rule_(std::move(rule)), slots_(static_cast<size_t>(rule_->num_slots())), pull_(settings) {}

  std::vector<std::string> slot_names() const override {
    std::vector<std::string> names = rule_->slot_names();
    names.push_back(kAnchorSlot);
    return names;
  }
  float initial_slot_value(int slot) const override {
    return static_cast<size_t>(slot) == slots_ ? kNotAnchored : rule_->initial_slot_value(slot);
  }

  void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const override {
    UpdateScalars mean = scalars;
    mean.inverse_count = 1;
    float gradient[kPiece];
    std::array<float*, kMaxInnerSlots> slots;
    for (int64_t begin = 0; begin < piece.size; begin += kPiece) {
      const int64_t size = std::min(kPiece, piece.size - begin);
      for (size_t s = 0; s < slots_; ++s) slots[s] = piece.slots[s] + begin;
      pull_.Add(piece.gradient + begin, scalars.inverse_count, piece.weights_in + begin,
                piece.slots[slots_] + begin, size, gradient);
      rule_->Apply(mean, {gradient, piece.weights_in + begin, piece.weights_out + begin,
                          slots.data(), size});
    }
  }

 private:
  const std::unique_ptr<Optimizer> rule_;
  const size_t slots_;  // of rule_
  const AnchorPull pull_;
};

class AnchoredRange final : public RangeRule {
 public:
  AnchoredRange(std::unique_ptr<RangeRule> rule, const OptimizerSettings& settings,
                uint32_t columns)
      : rule_(std::move(rule)), columns_(columns), pull_(settings) {
    for (const Slot& slot : rule_->slots()) anchors_ += slot.size;
  }

  std::vector<Slot> slots() const override {
    std::vector<Slot> slots = rule_->slots();
    slots.push_back({kAnchorSlot, columns_, kNotAnchored});
    return slots;
  }

  void Apply(const UpdateScalars& scalars, const float* sum, float* weights,
             float* slots) const override {
    UpdateScalars mean = scalars;
    mean.inverse_count = 1;
    absl::InlinedVector<float, 256> gradient(columns_);
    pull_.Add(sum, scalars.inverse_count, weights, slots + anchors_, columns_, gradient.data());
    rule_->Apply(mean, gradient.data(), weights, slots);
  }

 private:
  const std::unique_ptr<RangeRule> rule_;
  const uint32_t columns_;
  const AnchorPull pull_;
  uint32_t anchors_ = 0;  // where they stand in the slots
};

}  // namespace

bool IsAnchorSlot(std::string_view name) { return name.substr(name.rfind('/') + 1) == kAnchorSlot; }

std::vector<std::string> WithoutAnchorSlots(std::vector<std::string> slots) {
  std::erase_if(slots, IsAnchorSlot);
  return slots;
}

double StrongestAnchor(const v1::Optimizer& optimizer) {
  double strongest = optimizer.anchor();
  for (const v1::Override& entry : optimizer.override()) {
    strongest = std::max(strongest, entry.anchor());
  }
  return strongest;
}

void AnchorTo(std::span<float> weights) {
  for (float& weight : weights) weight = weight == 0 ? 0.0f : weight;
}

OptimizerSettings WithoutAnchor(OptimizerSettings settings) {
  if (settings.anchor != 0) settings.clip_value = 0;  // is done before
  settings.anchor = 0;
  return settings;
}

std::unique_ptr<Optimizer> MakeAnchored(std::unique_ptr<Optimizer> rule,
                                        const OptimizerSettings& settings) {
  return std::make_unique<AnchoredOptimizer>(std::move(rule), settings);
}

std::unique_ptr<RangeRule> MakeAnchored(std::unique_ptr<RangeRule> rule,
                                        const OptimizerSettings& settings, uint32_t columns) {
  return std::make_unique<AnchoredRange>(std::move(rule), settings, columns);
}

}  // namespace convoy
