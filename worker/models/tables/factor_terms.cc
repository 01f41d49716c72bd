#include "worker/models/tables/factor_terms.h"

#include <algorithm>
#include <type_traits>

#include "Eigen/Core"

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

// One number for each factor. kConstant: how many, or 0: any number.
template <int64_t kConstant>
using Factors = Eigen::Array<float, (kConstant > 0 ? kConstant : Eigen::Dynamic), 1,
                             Eigen::ColMajor, (kConstant > 0 ? kConstant : kMaxFactors), 1>;

// Adds v x and its squares. All is element by element, so that nothing depends on alignment.
template <int64_t kConstant>
void AddTerm(const float* __restrict v, float value, Factors<kConstant>* sums,
             Factors<kConstant>* squares) {
  if constexpr (kConstant > 0) {
    const Factors<kConstant> term = Eigen::Map<const Factors<kConstant>>(v) * value;
    *sums += term;
    *squares += term * term;
  } else {
    float* __restrict const sum = sums->data();
    float* __restrict const square = squares->data();
    for (int64_t f = 0; f < sums->size(); ++f) {
      const float term = v[f] * value;
      sum[f] += term;
      square[f] += term * term;
    }
  }
}

// Adds scale (sum of v x - v x).
template <int64_t kConstant>
void AddGradient(const float* __restrict v, float value, float scale,
                 const Factors<kConstant>& sums, float* __restrict gradient) {
  if constexpr (kConstant > 0) {
    const Eigen::Map<const Factors<kConstant>> factors(v);
    Eigen::Map<Factors<kConstant>> sum(gradient);
    sum += scale * (sums - factors * value);
  } else {
    const float* __restrict const sum = sums.data();
    for (int64_t f = 0; f < sums.size(); ++f) gradient[f] += scale * (sum[f] - v[f] * value);
  }
}

template <int64_t kConstant>
void AddTerms(const Places& places, const float* rows, int64_t given, float* all_sums,
              float* scores) {
  const int64_t factors = kConstant > 0 ? kConstant : given;
  const int64_t last = static_cast<int64_t>(places.rows.size()) - 1;
  Factors<kConstant> sums(factors), squares(factors);
  for (int64_t example = 0; example < places.examples(); ++example) {
    sums.setZero(factors);
    squares.setZero(factors);
    float linear = 0;
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      __builtin_prefetch(rows + places.rows[std::min(p + kAhead, last)] * (factors + 1));
      const float* const row = rows + places.rows[p] * (factors + 1);
      linear += row[0] * places.values[p];
      AddTerm<kConstant>(row + 1, places.values[p], &sums, &squares);
    }
    float pairs = 0;
    for (int64_t f = 0; f < factors; ++f) pairs += sums[f] * sums[f] - squares[f];
    std::copy_n(sums.data(), factors, all_sums + example * factors);
    scores[example] += linear + 0.5f * pairs;
  }
}

template <int64_t kConstant>
void AddGradients(const Places& places, const float* rows, int64_t given, const float* all_sums,
                  const float* score_gradient, float* gradients) {
  const int64_t factors = kConstant > 0 ? kConstant : given;
  const int64_t last = static_cast<int64_t>(places.rows.size()) - 1;
  for (int64_t example = 0; example < places.examples(); ++example) {
    const Factors<kConstant> sums =
        Eigen::Map<const Factors<kConstant>>(all_sums + example * factors, factors);
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      __builtin_prefetch(gradients + places.rows[std::min(p + kAhead, last)] * (factors + 1), 1);
      const int64_t at = places.rows[p] * (factors + 1);
      const float value = places.values[p];
      const float scale = score_gradient[example] * value;
      gradients[at] += scale;
      AddGradient<kConstant>(rows + at + 1, value, scale, sums, gradients + at + 1);
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
