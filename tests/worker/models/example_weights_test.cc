// Batch::weights: what class weights do to the loss and the gradients of every classifier.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"
#include "worker/models/batch_check.h"
#include "worker/models/conv_net.h"
#include "worker/models/linear_models.h"
#include "worker/models/mlp.h"
#include "worker/models/simple_model.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::ExpectModelGradients;
using ::convoy::testing::MemoryParameters;

constexpr int64_t kSize = 6, kFeatures = 16, kClasses = 3;

// Logistic regression as a user writes it.
class OwnLogistic : public SimpleModel {
 public:
  explicit OwnLogistic(const ModelInput& input) : SimpleModel(Task::kBinary, 1, input) {
    AddVariable("w", {input.features}, Initializer::Zeros());
  }
  bool weighs_examples() const override { return true; }

 protected:
  absl::StatusOr<double> Compute(const Batch& batch,
                                 std::span<const std::span<const float>> weights,
                                 std::span<const std::span<float>> gradients,
                                 std::span<float> predictions) override {
    double loss = 0;
    for (int64_t i = 0; i < batch.size; ++i) {
      const auto x = batch.dense.span().subspan(i * batch.features, batch.features);
      double score = 0;
      for (size_t k = 0; k < x.size(); ++k) score += double{x[k]} * weights[0][k];
      const double p = 1 / (1 + std::exp(-score));
      predictions[i] = static_cast<float>(p);
      if (batch.labels.empty()) continue;
      const double weight = batch.weights.empty() ? 1 : batch.weights[i];
      loss -= weight * std::log(batch.labels[i] == 1 ? p : 1 - p);
      if (gradients.empty()) continue;
      const double error = weight * (p - batch.labels[i]);
      for (size_t k = 0; k < x.size(); ++k) gradients[0][k] += static_cast<float>(error * x[k]);
    }
    return loss;
  }
};

struct Classifier {
  const char* name;
  std::unique_ptr<Model> model;
  int64_t classes;
  testing::DifferenceOptions differences = {};
};

std::vector<Classifier> Classifiers() {
  ModelInput input;
  input.features = kFeatures;
  input.shape = {4, 4, 1};
  input.classes = kClasses;
  v1::Mlp mlp;
  mlp.add_hidden(5);
  mlp.set_activation(v1::TANH);
  v1::ConvNet conv_net;
  conv_net.add_channels(2);
  conv_net.set_hidden(4);
  std::vector<Classifier> list;
  list.push_back({"logistic_regression", *MakeLogisticRegression({}, input), 2});
  list.push_back({"softmax_regression", *MakeSoftmaxRegression({}, input), kClasses});
  list.push_back({"mlp", *MakeMlp(mlp, input), kClasses});
  // ReLU and pooling: as conv_net_test.cc derives it.
  list.push_back({"conv_net", *MakeConvNet(conv_net, input), kClasses, {0x1p-10f, 1e-2, 0.15}});
  list.push_back({"a SimpleModel", std::make_unique<OwnLogistic>(input), 2});
  return list;
}

Batch WeightedBatch(int64_t classes) {
  Batch batch = DenseBatch(kSize, kFeatures, classes);
  for (int64_t i = 0; i < kSize; ++i) batch.weights.push_back(0.25f * static_cast<float>(i));
  return batch;
}

// Example `i` of `batch` alone, with weight 1.
Batch Single(const Batch& batch, int64_t i) {
  Batch single = DenseBatch(1, kFeatures, 2);
  std::copy_n(batch.dense.data() + i * kFeatures, kFeatures, single.dense.data());
  single.labels = {batch.labels[static_cast<size_t>(i)]};
  single.examples = {batch.examples[static_cast<size_t>(i)]};
  return single;
}

TEST(ExampleWeightsTest, GradientsOfTheWeightedLossMatchDifferences) {
  for (const Classifier& classifier : Classifiers()) {
    SCOPED_TRACE(classifier.name);
    EXPECT_TRUE(classifier.model->weighs_examples());
    ExpectModelGradients(*classifier.model, WeightedBatch(classifier.classes),
                         classifier.differences);
  }
}

TEST(ExampleWeightsTest, TheLossIsTheWeightedSumOfTheExamplesLosses) {
  for (const Classifier& classifier : Classifiers()) {
    SCOPED_TRACE(classifier.name);
    MemoryParameters parameters(classifier.model->variables());
    parameters.Randomize(3, 0.5f);
    const Batch batch = WeightedBatch(classifier.classes);
    double want = 0;
    for (int64_t i = 0; i < kSize; ++i) {
      const auto output = classifier.model->Train(Single(batch, i), parameters, parameters);
      ASSERT_TRUE(output.ok()) << output.status();
      want += batch.weights[static_cast<size_t>(i)] * output->loss;
    }
    const auto output = classifier.model->Train(batch, parameters, parameters);
    ASSERT_TRUE(output.ok()) << output.status();
    // Scores are float32 whose last bits depend on the size of the batch.
    EXPECT_NEAR(output->loss, want, 1e-5 * want);
  }
}

TEST(ExampleWeightsTest, WeightsOfOneChangeNoBit) {
  for (const Classifier& classifier : Classifiers()) {
    SCOPED_TRACE(classifier.name);
    Batch batch = WeightedBatch(classifier.classes);
    MemoryParameters ones(classifier.model->variables()), none(classifier.model->variables());
    ones.Randomize(3, 0.5f);
    none.Randomize(3, 0.5f);
    batch.weights.assign(kSize, 1.0f);
    const double with = classifier.model->Train(batch, ones, ones)->loss;
    batch.weights.clear();
    EXPECT_EQ(classifier.model->Train(batch, none, none)->loss, with);
    EXPECT_EQ(none.AllGradients(), ones.AllGradients());
  }
}

TEST(ExampleWeightsTest, AWeightForEveryExampleOrNone) {
  Batch batch = WeightedBatch(2);
  batch.weights.pop_back();
  EXPECT_THAT(std::string(CheckBatch(batch, kFeatures, false).message()),
              ::testing::HasSubstr("got 5 weights, want 6"));
}

}  // namespace
}  // namespace convoy
