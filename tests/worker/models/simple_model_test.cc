#include "worker/models/simple_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::MemoryParameters;
using Event = MemoryParameters::Event;

// Poisson regression, a model of one's own: counts with rate exp(x w + b).
class PoissonRegression : public SimpleModel {
 public:
  explicit PoissonRegression(const ModelInput& input) : SimpleModel(Task::kRegression, 1, input) {
    weight_ = AddVariable("head/weight", {input.features, 1}, Initializer::Zeros());
    bias_ = AddVariable("head/bias", {1}, Initializer::Zeros());
  }

 protected:
  absl::StatusOr<double> Compute(const Batch& batch,
                                 std::span<const std::span<const float>> weights,
                                 std::span<const std::span<float>> gradients,
                                 std::span<float> predictions) override {
    double loss = 0;
    for (int64_t i = 0; i < batch.size; ++i) {
      const auto x = batch.dense.span().subspan(i * batch.features, batch.features);
      float score = weights[bias_][0];
      for (size_t k = 0; k < x.size(); ++k) score += x[k] * weights[weight_][k];
      predictions[i] = std::exp(score);
      if (batch.labels.empty()) continue;
      loss += std::exp(double{score}) - double{batch.labels[i]} * score;
      if (gradients.empty()) continue;
      const float error = predictions[i] - batch.labels[i];
      for (size_t k = 0; k < x.size(); ++k) gradients[weight_][k] += error * x[k];
      gradients[bias_][0] += error;
    }
    return loss;
  }

 private:
  int weight_ = 0, bias_ = 0;
};

std::unique_ptr<Model> Poisson(int64_t features) {
  ModelInput input;
  input.features = features;
  const std::vector<ModelRegistration> custom = {
      {"poisson", [](const v1::Model&, const ModelInput& given) {
         return std::make_unique<PoissonRegression>(given);
       }}};
  v1::Model config;
  config.mutable_custom()->set_name("poisson");
  return *MakeModel(config, input, custom);
}

TEST(SimpleModelTest, GradientsOfACustomModelMatchDifferences) {
  const auto model = Poisson(4);
  testing::ExpectModelGradients(*model, DenseBatch(5, 4, 3));
}

TEST(SimpleModelTest, CustomModelLearns) {
  const auto model = Poisson(1);
  MemoryParameters parameters(model->variables());
  Batch batch = DenseBatch(50, 1, 0);
  for (int i = 0; i < 50; ++i) batch.labels[i] = std::exp(0.5f * batch.dense[i] - 1);
  for (int step = 0; step < 2000; ++step) {
    ASSERT_TRUE(model->Train(batch, parameters, parameters).ok());
    parameters.Step(0.02f);
  }
  // The data are those of w = 0.5, b = -1 without noise, where the gradient vanishes.
  EXPECT_NEAR(parameters.weights(0)[0], 0.5, 1e-4);
  EXPECT_NEAR(parameters.weights(1)[0], -1, 1e-4);
}

TEST(SimpleModelTest, GradientsAreReportedWholeAndEvaluationReportsNone) {
  const auto model = Poisson(4);
  MemoryParameters parameters(model->variables());
  ASSERT_TRUE(model->Evaluate(DenseBatch(5, 4, 3), parameters).ok());
  EXPECT_EQ(parameters.events().size(), 2u);
  ASSERT_TRUE(model->Train(DenseBatch(5, 4, 3), parameters, parameters).ok());
  EXPECT_EQ(parameters.events()[4], (Event{Event::kReady, 0, 0, 4}));
  EXPECT_EQ(parameters.events()[5], (Event{Event::kReady, 1, 0, 1}));
}

TEST(SimpleModelTest, BatchesThatDoNotFitNeverReachCompute) {
  const auto model = Poisson(4);
  MemoryParameters parameters(model->variables());
  EXPECT_FALSE(model->Train(DenseBatch(5, 3, 0), parameters, parameters).ok());
  EXPECT_FALSE(model->Train(DenseBatch(0, 4, 0), parameters, parameters).ok());
  EXPECT_EQ(model->Evaluate(DenseBatch(0, 4, 0), parameters)->loss, 0);
}

TEST(SimpleModelTest, ErrorOfTheWeightSourceIsPassedOn) {
  const auto model = Poisson(4);
  MemoryParameters parameters(model->variables());
  parameters.FailWeights(1, absl::UnavailableError("server 0 is gone"));
  EXPECT_EQ(model->Train(DenseBatch(5, 4, 3), parameters, parameters).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace convoy
