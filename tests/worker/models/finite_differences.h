// Central finite differences: the independent opinion on every gradient.
#ifndef CONVOY_TESTS_WORKER_MODELS_FINITE_DIFFERENCES_H_
#define CONVOY_TESTS_WORKER_MODELS_FINITE_DIFFERENCES_H_

#include <functional>
#include <span>

#include "worker/layers/layer.h"
#include "worker/models/model.h"

namespace convoy::testing {

// How far an analytic gradient may be from (f(x + h) - f(x - h)) / 2h.
//
// f is summed in double, but computed from float32 values v of size about 1, each with an error of
// a few 2^-24 = 6e-8; a weight reaches n of them, which gives an error of about sqrt(n) * 2e-7 / 2h
// in the quotient, 1.2e-4 for n = 100 and h = 2^-7. The Taylor remainder is h^2 / 6 |f'''|, 1e-5
// times a third derivative of order 1 to 10. 2e-3 is ten times their sum; gradients are of order 1.
struct DifferenceOptions {
  float step = 0x1p-7f;
  double tolerance = 2e-3;  // absolute, plus as much of the gradient's size
  // ReLU and pooling have kinks, where a difference says nothing. A point with quotients for h and
  // h/2 that differ by more than half the tolerance is left out; at most this part of all.
  double kinks = 0;
};

// Fails unless `gradient` is that of `objective` with respect to `values`, which it reads.
void ExpectGradient(const std::function<double()>& objective, std::span<float> values,
                    std::span<const float> gradient, const DifferenceOptions& options = {});

// Checks the gradients of every variable, at random weights, and of a dense input, for the
// objective sum(r * output) with random factors r.
void ExpectLayerGradients(Layer& layer, Batch batch, const DifferenceOptions& options = {});

// Checks the gradients of every variable for the model's loss, at random weights.
void ExpectModelGradients(Model& model, const Batch& batch, const DifferenceOptions& options = {});

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_WORKER_MODELS_FINITE_DIFFERENCES_H_
