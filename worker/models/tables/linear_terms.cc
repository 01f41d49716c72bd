#include "worker/models/tables/linear_terms.h"

namespace convoy {

void AddLinearTerms(const Places& places, std::span<const float> weights, std::span<float> scores) {
  for (int64_t example = 0; example < places.examples(); ++example) {
    float sum = 0;
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      sum += weights[places.rows[p]] * places.values[p];
    }
    scores[example] += sum;
  }
}

void AddLinearGradients(const Places& places, std::span<const float> score_gradient,
                        std::span<float> gradients) {
  for (int64_t example = 0; example < places.examples(); ++example) {
    const float gradient = score_gradient[example];
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      gradients[places.rows[p]] += gradient * places.values[p];
    }
  }
}

}  // namespace convoy
