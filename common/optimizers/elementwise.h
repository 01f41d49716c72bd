// The one loop behind all update rules. It is fused (every array is read and written once) and
// plain enough for the compiler to turn it into vector instructions, square roots included; that
// needs -fno-math-errno. A rule may use + - * / sqrt, comparisons and selections only: these round
// correctly, so with -ffp-contract=off the vector body and the scalar rest give the same bits, and
// a cell may be cut into pieces anywhere. Included by the rules' .cc files only.
#ifndef CONVOY_COMMON_OPTIMIZERS_ELEMENTWISE_H_
#define CONVOY_COMMON_OPTIMIZERS_ELEMENTWISE_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "common/optimizers/optimizer.h"

// Element i of the outputs depends on element i of the inputs only, and the arrays are equal or
// disjoint. (`__restrict` would be wrong: weights_out may be weights_in.)
#if defined(__clang__)
#define CONVOY_INDEPENDENT_ITERATIONS _Pragma("clang loop vectorize(assume_safety)")
#else
#define CONVOY_INDEPENDENT_ITERATIONS _Pragma("GCC ivdep")
#endif

namespace convoy {

// A float at any address: received payloads are cut at any byte.
typedef float UnalignedFloat __attribute__((aligned(1), may_alias));

// What happens to a gradient before the rule sees it. 0 turns a term off.
struct GradientTerms {
  float clip = 0, l1 = 0, l2 = 0;
};

inline GradientTerms TermsFrom(const OptimizerSettings& settings) {
  return {static_cast<float>(settings.clip_value), static_cast<float>(settings.l1),
          static_cast<float>(settings.l2)};
}

// `value` cut to [-bound, bound]; NaN stays NaN.
inline float Clamp(float value, float bound) { return std::min(std::max(value, -bound), bound); }

// `yes` if `condition`, otherwise `no`. With ?: the compiler makes branches or masked stores of it,
// either of which is many times slower than these blends.
inline float Select(bool condition, float yes, float no) {
  const uint32_t mask = condition ? ~uint32_t{0} : 0;
  return std::bit_cast<float>((std::bit_cast<uint32_t>(yes) & mask) |
                              (std::bit_cast<uint32_t>(no) & ~mask));
}

// amount * sign(value), where sign(0) is 0.
inline float WithSignOf(float value, float amount) {
  return Select(value > 0.0f, amount, 0.0f) - Select(value < 0.0f, amount, 0.0f);
}

// step(w, g, slots...) returns the new weight and changes its kSlots slot values in place.
template <int kSlots, bool kClip, bool kPenalty, typename Step>
void RunElementwise(GradientTerms terms, float inverse_count, const UpdatePiece& piece, Step step) {
  const UnalignedFloat* const gradient = piece.gradient;
  const UnalignedFloat* const weights_in = piece.weights_in;
  float* const weights_out = piece.weights_out;
  float* const slot0 = kSlots > 0 ? piece.slots[0] : nullptr;
  float* const slot1 = kSlots > 1 ? piece.slots[1] : nullptr;
  const int64_t size = piece.size;
  CONVOY_INDEPENDENT_ITERATIONS
  for (int64_t i = 0; i < size; ++i) {
    const float w = weights_in[i];
    float g = gradient[i] * inverse_count;
    if constexpr (kClip) g = Clamp(g, terms.clip);
    if constexpr (kPenalty) g += terms.l2 * w + WithSignOf(w, terms.l1);
    if constexpr (kSlots == 0) weights_out[i] = step(w, g);
    if constexpr (kSlots == 1) weights_out[i] = step(w, g, slot0[i]);
    if constexpr (kSlots == 2) weights_out[i] = step(w, g, slot0[i], slot1[i]);
  }
}

// Picks the loop that has only the terms in use.
template <int kSlots, typename Step>
void UpdateElements(GradientTerms terms, float inverse_count, const UpdatePiece& piece, Step step) {
  const bool clip = terms.clip != 0;
  const bool penalty = terms.l1 != 0 || terms.l2 != 0;
  if (clip && penalty) {
    RunElementwise<kSlots, true, true>(terms, inverse_count, piece, step);
  } else if (clip) {
    RunElementwise<kSlots, true, false>(terms, inverse_count, piece, step);
  } else if (penalty) {
    RunElementwise<kSlots, false, true>(terms, inverse_count, piece, step);
  } else {
    RunElementwise<kSlots, false, false>(terms, inverse_count, piece, step);
  }
}

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_ELEMENTWISE_H_
