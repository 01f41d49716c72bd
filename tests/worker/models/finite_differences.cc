#include "tests/worker/models/finite_differences.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "common/math/random.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy::testing {
namespace {

constexpr float kWeightScale = 0.5f;

double Quotient(const std::function<double()>& objective, float& value, float step) {
  const float middle = value;
  value = middle + step;
  const double right = objective();
  const double above = value;
  value = middle - step;
  const double left = objective();
  const double below = value;
  value = middle;
  return (right - left) / (above - below);
}

// A pass of one layer over one batch, and the objective that weighs its outputs.
struct LayerRun {
  LayerRun(Layer& l, Batch& b)
      : layer(l),
        batch(b),
        parameters(l.variables()),
        output(b.size * l.outputs()),
        factors(output.size()) {
    parameters.Randomize(3, kWeightScale);
    RandomStream(4, "factors").FillNormal(0, factors.span());
    for (int v = 0; v < parameters.count(); ++v) weights.push_back(parameters.weights(v));
    pass.batch = &batch;
    pass.training = true;
    pass.input = batch.sparse ? nullptr : batch.dense.data();
    pass.weights = weights;
  }
  double Objective() {
    EXPECT_TRUE(layer.Forward(pass, output.data()).ok());
    double sum = 0;
    for (size_t i = 0; i < output.size(); ++i) sum += double{factors[i]} * output[i];
    return sum;
  }

  Layer& layer;
  Batch& batch;
  MemoryParameters parameters;
  AlignedBuffer output, factors;
  std::vector<std::span<const float>> weights;
  LayerPass pass;
};

}  // namespace

void ExpectGradient(const std::function<double()>& objective, std::span<float> values,
                    std::span<const float> gradient, const DifferenceOptions& options) {
  ASSERT_EQ(values.size(), gradient.size());
  size_t kinks = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double want = Quotient(objective, values[i], options.step);
    const double tolerance = options.tolerance * (1 + std::abs(want));
    if (options.kinks > 0) {
      const double near = Quotient(objective, values[i], options.step / 2);
      if (std::abs(near - want) > tolerance / 2 && ++kinks) continue;
    }
    ASSERT_NEAR(gradient[i], want, tolerance) << "element " << i;
  }
  EXPECT_LE(static_cast<double>(kinks), options.kinks * static_cast<double>(values.size()));
}

void ExpectLayerGradients(Layer& layer, Batch batch, const DifferenceOptions& options) {
  LayerRun run(layer, batch);
  run.Objective();
  AlignedBuffer input_gradient(batch.dense.size());
  const auto status =
      layer.Backward(run.pass, run.output.data(), run.factors.data(),
                     batch.sparse ? nullptr : input_gradient.data(), run.parameters);
  ASSERT_TRUE(status.ok()) << status;
  const auto objective = [&] { return run.Objective(); };
  {
    SCOPED_TRACE("input");
    ExpectGradient(objective, batch.dense.span(), input_gradient.span(), options);
  }
  for (int v = 0; v < run.parameters.count(); ++v) {
    SCOPED_TRACE(layer.variables()[v].name);
    ExpectGradient(objective, run.parameters.weights(v), run.parameters.gradient(v), options);
  }
}

void ExpectModelGradients(Model& model, const Batch& batch, const DifferenceOptions& options) {
  MemoryParameters parameters(model.variables());
  parameters.Randomize(3, kWeightScale);
  const auto loss = [&] {
    MemoryParameters ignored(model.variables());
    const auto output = model.Train(batch, parameters, ignored);
    EXPECT_TRUE(output.ok()) << output.status();
    return output.ok() ? output->loss : 0;
  };
  const auto output = model.Train(batch, parameters, parameters);
  ASSERT_TRUE(output.ok()) << output.status();
  for (int v = 0; v < parameters.count(); ++v) {
    SCOPED_TRACE(model.variables()[v].name);
    ExpectGradient(loss, parameters.weights(v), parameters.gradient(v), options);
  }
}

}  // namespace convoy::testing
