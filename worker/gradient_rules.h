// What a job may ask of a slice's whole gradient before it is used: to be finite, and to be no
// longer than a norm.
#ifndef CONVOY_WORKER_GRADIENT_RULES_H_
#define CONVOY_WORKER_GRADIENT_RULES_H_

#include <cstdint>
#include <span>
#include <vector>

namespace convoy {

// By variable.
using GradientSpans = std::vector<std::span<float>>;

// No NaN and no infinity.
bool IsFinite(const GradientSpans& gradient);

// Scales the gradient, a sum over `examples`, so that the norm of its mean is at most `limit`. The
// norm is taken in double, in the order of variables and elements. Pascanu et al., "On the
// difficulty of training recurrent neural networks", ICML 2013, algorithm 1.
void ClipNorm(uint32_t examples, double limit, const GradientSpans& gradient);

}  // namespace convoy

#endif  // CONVOY_WORKER_GRADIENT_RULES_H_
