// The terms of a factorization machine but its bias: the sum of w x, and of (v_i . v_j) x_i x_j
// over all pairs of places of an example, in linear time: half of |sum of v x|^2 - sum of |v x|^2.
// S. Rendle, "Factorization Machines", ICDM 2010, lemma 3.1.
#ifndef CONVOY_WORKER_MODELS_TABLES_FACTOR_TERMS_H_
#define CONVOY_WORKER_MODELS_TABLES_FACTOR_TERMS_H_

#include <cstdint>
#include <span>

#include "worker/models/tables/places.h"

namespace convoy {

inline constexpr int64_t kMaxFactors = 512;

// Adds the terms to the score of each example. `rows`: row-major [rows, 1 + factors], a row is w
// and v; factors from 1 to kMaxFactors. Writes the sums of v x, row-major [examples, factors], to
// `sums`.
void AddFactorTerms(const Places& places, std::span<const float> rows, int64_t factors,
                    std::span<float> sums, std::span<float> scores);

// Adds the gradients of the rows to `gradients` [rows, 1 + factors], from d(loss)/d(score) of each
// example and the sums that AddFactorTerms wrote: d(score)/dw = x, d(score)/dv = x (sum of v x - v
// x).
void AddFactorGradients(const Places& places, std::span<const float> rows, int64_t factors,
                        std::span<const float> sums, std::span<const float> score_gradient,
                        std::span<float> gradients);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_FACTOR_TERMS_H_
