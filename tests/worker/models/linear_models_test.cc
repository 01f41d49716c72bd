#include "worker/models/linear_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::ExpectModelGradients;
using ::convoy::testing::MemoryParameters;
using ::convoy::testing::SparseBatch;
using ::testing::ElementsAre;

ModelInput Input(int64_t features, bool sparse, int64_t classes) {
  ModelInput input;
  input.features = features;
  input.sparse = sparse;
  input.classes = classes;
  return input;
}

TEST(LinearRegressionTest, LossIsTheSquaredErrorOfTheLinearFunction) {
  const auto model = *MakeLinearRegression({}, Input(2, false, 0));
  MemoryParameters parameters(model->variables());
  parameters.weights(0)[0] = 2;
  parameters.weights(0)[1] = 3;
  parameters.weights(1)[0] = 1;
  Batch batch = DenseBatch(1, 2, 0);
  batch.dense[0] = 10;
  batch.dense[1] = 100;
  batch.labels = {320};
  const auto output = model->Train(batch, parameters, parameters);
  ASSERT_TRUE(output.ok()) << output.status();
  // 2 * 10 + 3 * 100 + 1 = 321; (321 - 320)^2 = 1; gradient 2 * 1 * x.
  EXPECT_EQ(output->loss, 1);
  EXPECT_EQ(output->predictions[0], 321);
  EXPECT_THAT(parameters.AllGradients(), ElementsAre(20, 200, 2));
}

TEST(LinearRegressionTest, GradientsMatchDifferences) {
  for (const bool sparse : {false, true}) {
    const auto model = *MakeLinearRegression({}, Input(13, sparse, 0));
    EXPECT_EQ(model->task(), Model::Task::kRegression);
    ExpectModelGradients(*model, sparse ? SparseBatch(6, 13, 0) : DenseBatch(6, 13, 0));
  }
}

TEST(LogisticRegressionTest, GradientsMatchDifferences) {
  for (const bool sparse : {false, true}) {
    const auto model = *MakeLogisticRegression({}, Input(13, sparse, 2));
    EXPECT_EQ(model->task(), Model::Task::kBinary);
    EXPECT_EQ(model->outputs(), 1);
    ExpectModelGradients(*model, sparse ? SparseBatch(6, 13, 2) : DenseBatch(6, 13, 2));
  }
}

TEST(LogisticRegressionTest, WithoutBiasThereIsOneVariable) {
  v1::LogisticRegression config;
  config.set_bias(false);
  const auto model = *MakeLogisticRegression(config, Input(13, true, 2));
  ASSERT_EQ(model->variables().size(), 1u);
  ExpectModelGradients(*model, SparseBatch(6, 13, 2));
}

TEST(SoftmaxRegressionTest, GradientsMatchDifferences) {
  for (const bool sparse : {false, true}) {
    const auto model = *MakeSoftmaxRegression({}, Input(13, sparse, 4));
    EXPECT_EQ(model->task(), Model::Task::kMulticlass);
    EXPECT_EQ(model->outputs(), 4);
    ExpectModelGradients(*model, sparse ? SparseBatch(6, 13, 4) : DenseBatch(6, 13, 4));
  }
}

TEST(SoftmaxRegressionTest, StartsAtZeroWithEqualProbabilities) {
  const auto model = *MakeSoftmaxRegression({}, Input(13, false, 4));
  MemoryParameters parameters(model->variables());
  parameters.Initialize(1);
  const auto output = model->Evaluate(DenseBatch(3, 13, 4), parameters);
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_NEAR(output->loss, 3 * std::log(4.0), 1e-12);
  for (const float p : output->predictions) EXPECT_EQ(p, 0.25f);
}

TEST(SoftmaxRegressionTest, NeedsTwoClasses) {
  EXPECT_EQ(MakeSoftmaxRegression({}, Input(13, false, 1)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LinearModelsTest, FullBatchDescentFindsTheTargetFunction) {
  const auto model = *MakeLinearRegression({}, Input(3, false, 0));
  MemoryParameters parameters(model->variables());
  Batch batch = DenseBatch(20, 3, 0);
  for (int i = 0; i < 20; ++i)
    batch.labels[i] = 2 * batch.dense[3 * i] - batch.dense[3 * i + 2] + 4;
  for (int step = 0; step < 500; ++step) {
    ASSERT_TRUE(model->Train(batch, parameters, parameters).ok());
    parameters.Step(0.01f);
  }
  // The least squares solution is exact; 500 steps of a rate below 1 / curvature leave rounding.
  EXPECT_NEAR(parameters.weights(0)[0], 2, 1e-4);
  EXPECT_NEAR(parameters.weights(0)[1], 0, 1e-4);
  EXPECT_NEAR(parameters.weights(0)[2], -1, 1e-4);
  EXPECT_NEAR(parameters.weights(1)[0], 4, 1e-4);
}

}  // namespace
}  // namespace convoy
