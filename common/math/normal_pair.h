// Two standard normal numbers from 64 random bits. Box & Muller, "A note on the generation of
// random normal deviates", 1958. Logarithm, sine and cosine are polynomials in float32
// (coefficients of Moshier's Cephes library, logf and sinf) instead of the C library's functions:
// the bits are then the same with every C library, and the compiler makes vector instructions of a
// loop over pairs.
#ifndef CONVOY_COMMON_MATH_NORMAL_PAIR_H_
#define CONVOY_COMMON_MATH_NORMAL_PAIR_H_

#include <bit>
#include <cmath>
#include <cstdint>

namespace convoy {

// Natural logarithm of a normal number x > 0, within 1.5 units in the last place or 1e-7.
inline float PortableLog(float x) {
  // x = 2^exponent * (1 + f), 1 + f in [sqrt(1/2), sqrt(2)).
  const int32_t shifted = std::bit_cast<int32_t>(x) - 0x3f3504f3;
  const float exponent = static_cast<float>(shifted >> 23);
  const float f = std::bit_cast<float>((shifted & 0x7fffff) + 0x3f3504f3) - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float square = f * f;
  // log(2) in two parts, so that the larger product is exact.
  const float small = p * f * square - 2.12194440e-4f * exponent - 0.5f * square;
  return f + small + 0.693359375f * exponent;
}

struct SineCosine {
  float sine, cosine;
};

// Of bits / 2^32 of a full turn.
inline SineCosine OfTurn(uint32_t bits) {
  // The nearest quarter turn, and what remains of it: an angle in [-pi/4, pi/4).
  const uint32_t quarter = (bits + 0x20000000u) >> 30;
  const int32_t rest = static_cast<int32_t>(bits - (quarter << 30));
  const float angle = static_cast<float>(rest) * (6.283185307f * 0x1p-32f);
  const float z = angle * angle;
  const float sine_part = (-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f;
  const float cosine_part = (2.443315711809948e-5f * z - 1.388731625493765e-3f) * z;
  const uint32_t sine = std::bit_cast<uint32_t>(sine_part * z * angle + angle);
  const uint32_t cosine =
      std::bit_cast<uint32_t>((cosine_part + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f);
  // An odd quarter swaps the two; two of the four change the sign.
  const uint32_t swap = 0u - (quarter & 1u);
  const uint32_t sine_sign = (quarter & 2u) << 30;
  const uint32_t cosine_sign = ((quarter + 1u) & 2u) << 30;
  return {std::bit_cast<float>(((sine & ~swap) | (cosine & swap)) ^ sine_sign),
          std::bit_cast<float>(((cosine & ~swap) | (sine & swap)) ^ cosine_sign)};
}

struct NormalPair {
  float first, second;
};

inline NormalPair ToNormalPair(uint32_t radius_bits, uint32_t angle_bits) {
  // In (0, 1], in steps of 2^-31: the radius is at most 6.6.
  const float uniform =
      (static_cast<float>(static_cast<int32_t>(radius_bits >> 1)) + 1.0f) * 0x1p-31f;
  const float radius = std::sqrt(-2.0f * PortableLog(uniform));
  const SineCosine direction = OfTurn(angle_bits);
  return {radius * direction.cosine, radius * direction.sine};
}

}  // namespace convoy

#endif  // CONVOY_COMMON_MATH_NORMAL_PAIR_H_
