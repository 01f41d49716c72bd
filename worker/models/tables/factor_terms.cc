#include "worker/models/tables/factor_terms.h"

#include <algorithm>
#include <type_traits>

namespace convoy {
namespace {

// Places ahead of the one at work whose rows are fetched into the cache.
constexpr int64_t kAhead = 8;

// Calls `function` with a constant where `factors` is a usual number, so that its loops unroll,
// else with 0.
template <typename Function>
void WithConstant(int64_t factors, Function function) {
  switch (factors) {
    case 4:
      return function(std::integral_constant<int64_t, 4>());
    case 8:
      return function(std::integral_constant<int64_t, 8>());
    case 16:
      return function(std::integral_constant<int64_t, 16>());
    case 32:
      return function(std::integral_constant<int64_t, 32>());
    default:
      return function(std::integral_constant<int64_t, 0>());
  }
}

// kConstant: the factors, or 0: `given` are.
template <int64_t kConstant>
void AddTerms(const Places& places, const float* rows, int64_t given, float* all_sums,
              float* scores) {
  const int64_t factors = kConstant > 0 ? kConstant : given;
  const int64_t last = static_cast<int64_t>(places.rows.size()) - 1;
  float sums[kConstant > 0 ? kConstant : kMaxFactors];
  float squares[kConstant > 0 ? kConstant : kMaxFactors];
  for (int64_t example = 0; example < places.examples(); ++example) {
    std::fill_n(sums, factors, 0.0f);
    std::fill_n(squares, factors, 0.0f);
    float linear = 0;
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      __builtin_prefetch(rows + places.rows[std::min(p + kAhead, last)] * (factors + 1));
      const float* const row = rows + places.rows[p] * (factors + 1);
      const float value = places.values[p];
      linear += row[0] * value;
      for (int64_t f = 0; f < factors; ++f) {
        const float term = row[1 + f] * value;
        sums[f] += term;
        squares[f] += term * term;
      }
    }
    float pairs = 0;
    for (int64_t f = 0; f < factors; ++f) pairs += sums[f] * sums[f] - squares[f];
    std::copy_n(sums, factors, all_sums + example * factors);
    scores[example] += linear + 0.5f * pairs;
  }
}

template <int64_t kConstant>
void AddGradients(const Places& places, const float* rows, int64_t given, const float* all_sums,
                  const float* score_gradient, float* gradients) {
  const int64_t factors = kConstant > 0 ? kConstant : given;
  const int64_t last = static_cast<int64_t>(places.rows.size()) - 1;
  for (int64_t example = 0; example < places.examples(); ++example) {
    const float* __restrict const sums = all_sums + example * factors;
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      __builtin_prefetch(gradients + places.rows[std::min(p + kAhead, last)] * (factors + 1), 1);
      const int64_t at = places.rows[p] * (factors + 1);
      const float* __restrict const row = rows + at;
      float* __restrict const gradient = gradients + at;
      const float value = places.values[p];
      const float scale = score_gradient[example] * value;
      gradient[0] += scale;
      for (int64_t f = 0; f < factors; ++f) {
        gradient[1 + f] += scale * (sums[f] - row[1 + f] * value);
      }
    }
  }
}

}  // namespace

void AddFactorTerms(const Places& places, std::span<const float> rows, int64_t factors,
                    std::span<float> sums, std::span<float> scores) {
  WithConstant(factors, [&](auto constant) {
    AddTerms<constant>(places, rows.data(), factors, sums.data(), scores.data());
  });
}

void AddFactorGradients(const Places& places, std::span<const float> rows, int64_t factors,
                        std::span<const float> sums, std::span<const float> score_gradient,
                        std::span<float> gradients) {
  WithConstant(factors, [&](auto constant) {
    AddGradients<constant>(places, rows.data(), factors, sums.data(), score_gradient.data(),
                           gradients.data());
  });
}

}  // namespace convoy
