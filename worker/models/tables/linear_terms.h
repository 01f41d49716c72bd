// The sum of w x, with a weight w for each row.
#ifndef CONVOY_WORKER_MODELS_TABLES_LINEAR_TERMS_H_
#define CONVOY_WORKER_MODELS_TABLES_LINEAR_TERMS_H_

#include <cstdint>
#include <span>

#include "worker/models/tables/places.h"

namespace convoy {

// Adds the sum of w x to the score of each example. `weights`: of each row, tables of 1 column.
void AddLinearTerms(const Places& places, std::span<const float> weights, std::span<float> scores);

// Adds d(loss)/dw to `gradients`, from `score_gradient`, d(loss)/d(score) of each example.
void AddLinearGradients(const Places& places, std::span<const float> score_gradient,
                        std::span<float> gradients);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_LINEAR_TERMS_H_
