#include "worker/training_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "common/math/random.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"
#include "worker/class_balance.h"
#include "worker/example_reader.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

// A model that does not know of weights.
class Unweighted final : public Model {
 public:
  explicit Unweighted(Task task) : task_(task) {}
  Task task() const override { return task_; }
  int64_t outputs() const override { return task_ == Task::kMulticlass ? 3 : 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float label, float* mapped) const override {
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch&, WeightSource&, GradientSink&) override {
    return BatchOutput();
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch&, WeightSource&) override {
    return BatchOutput();
  }

 private:
  const Task task_;
  const std::vector<VariableSpec> variables_{};
};

// Ten examples "label 1:i": six of class 0, three of class 1, one of class 2.
class TrainingDataTest : public ::testing::Test {
 protected:
  TrainingDataTest() {
    std::string text;
    for (int i = 0; i < 10; ++i) {
      text += std::to_string(kLabels[i]) + " 1:" + std::to_string(i + 1) + "\n";
    }
    testing::WriteFile(folder_ / "t.libsvm", text);
    job_.set_seed(5);
    job_.mutable_data()->set_train(folder_ / "t.libsvm");
    job_.mutable_data()->set_cache_dir(folder_ / "cache");
    job_.mutable_model()->mutable_softmax_regression();
    data_ = std::move(OpenData(job_.data(), job_.seed(), nullptr)->train);
    ModelInput input;
    input.features = 1;
    input.sparse = true;
    input.classes = 3;
    model_ = *MakeModel(job_.model(), input, {});
  }

  // With `text` merged into the job.
  absl::StatusOr<TrainingData> Make(const std::string& text, const Model* model = nullptr) {
    v1::Job job = job_;
    EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(text, &job)) << text;
    return MakeTrainingData(job, *data_, model == nullptr ? *model_ : *model);
  }

  std::string Refusal(const std::string& text, const Model* model = nullptr) {
    const absl::Status status = Make(text, model).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    return std::string(status.message());
  }

  static constexpr int kLabels[] = {0, 1, 0, 0, 2, 1, 0, 1, 0, 0};
  testing::TemporaryFolder folder_;
  v1::Job job_;
  std::unique_ptr<Dataset> data_;
  std::unique_ptr<Model> model_;
};

TEST_F(TrainingDataTest, NothingIsChangedUnlessAskedFor) {
  const TrainingData training = *Make("");
  EXPECT_EQ(training.epoch_size(), 10u);
  EXPECT_EQ(Describe(training), "");
  Batch batch;
  ASSERT_TRUE(ExampleReader(&training).Read(2, {3, 7}, &batch).ok());
  EXPECT_TRUE(batch.weights.empty());
  const std::vector<uint32_t> order = SeededPermutation(10, 5, "data order", 2);
  EXPECT_THAT(batch.examples, ElementsAre(order[3], order[4], order[5], order[6]));
}

TEST_F(TrainingDataTest, BalancedWeightsGiveEveryClassTheSamePartAndAMeanOfOne) {
  const TrainingData training = *Make("training { balance: WEIGHTS }");
  // n / (C n_c): 10 / (3 * 6), 10 / (3 * 3), 10 / (3 * 1).
  ASSERT_THAT(training.class_weights,
              ElementsAre(FloatEq(10 / 18.0f), FloatEq(10 / 9.0f), FloatEq(10 / 3.0f)));
  Batch batch;
  ASSERT_TRUE(ExampleReader(&training).Read(0, {0, 10}, &batch).ok());
  ASSERT_EQ(batch.weights.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(batch.weights[i], training.class_weights[static_cast<size_t>(batch.labels[i])]);
  }
  EXPECT_NEAR(std::accumulate(batch.weights.begin(), batch.weights.end(), 0.0), 10, 1e-5);
}

TEST_F(TrainingDataTest, AClassWithoutExamplesDoesNotCountForTheBalance) {
  EXPECT_THAT(BalancedWeights(std::vector<uint32_t>{0, 0, 0, 2}, 3),
              ElementsAre(FloatEq(4 / 6.0f), 1, FloatEq(4 / 2.0f)));
}

TEST_F(TrainingDataTest, GivenWeightsAreTakenAsTheyAre) {
  const TrainingData training = *Make("training { class_weights: [0.5, 2, 0] }");
  EXPECT_THAT(training.class_weights, ElementsAre(0.5f, 2, 0));
  EXPECT_EQ(Describe(training), "class weights 0.5, 2, 0");
}

TEST_F(TrainingDataTest, MeasuringSeesNoWeights) {
  Batch batch;
  batch.weights = {1, 2, 3};
  ASSERT_TRUE(ExampleReader(data_.get(), model_.get()).Read(0, {0, 2}, &batch).ok());
  EXPECT_TRUE(batch.weights.empty());
  EXPECT_THAT(batch.examples, ElementsAre(0, 1));
}

TEST_F(TrainingDataTest, AnOversampledEpochHasEveryClassEquallyOften) {
  const TrainingData training = *Make("training { balance: OVERSAMPLE }");
  ASSERT_EQ(training.epoch_size(), 18u);  // 3 classes x 6
  EXPECT_EQ(Describe(training), "over-sampling: an epoch visits 18 examples out of 10");
  Batch batch;
  std::map<float, int> labels;
  ExampleReader reader(&training);
  for (uint64_t begin = 0; begin < 18; begin += 6) {
    ASSERT_TRUE(reader.Read(1, {begin, begin + 6}, &batch).ok());
    for (size_t i = 0; i < 6; ++i) {
      ++labels[batch.labels[i]];
      // The features are those of the example that the visit names: 1:i + 1.
      EXPECT_EQ(batch.values[i], static_cast<float>(batch.examples[i] % 10 + 1));
      EXPECT_EQ(batch.labels[i], static_cast<float>(kLabels[batch.examples[i] % 10]));
    }
  }
  EXPECT_THAT(labels, ElementsAre(std::pair(0, 6), std::pair(1, 6), std::pair(2, 6)));
}

TEST_F(TrainingDataTest, WeightsMustFitTheClassesOfTheData) {
  EXPECT_THAT(Refusal("training { class_weights: [1, 2] }"),
              HasSubstr("training.class_weights: got 2 weights, want 3, one for each class"));
}

TEST_F(TrainingDataTest, ARegressionHasNoClassesToBalance) {
  const Unweighted regression(Model::Task::kRegression);
  EXPECT_THAT(Refusal("training { class_weights: 1 }", &regression),
              HasSubstr("training.class_weights is for classifiers"));
  EXPECT_THAT(Refusal("training { balance: OVERSAMPLE }", &regression),
              HasSubstr("training.balance is for classifiers"));
}

TEST_F(TrainingDataTest, AModelThatIgnoresWeightsIsRefusedThemButCanBeOversampled) {
  const Unweighted model(Model::Task::kMulticlass);
  EXPECT_THAT(Refusal("training { balance: WEIGHTS }", &model),
              HasSubstr("does not use Batch::weights"));
  EXPECT_THAT(Refusal("training { class_weights: [1, 1, 2] }", &model),
              HasSubstr("override Model::weighs_examples"));
  EXPECT_TRUE(Make("training { balance: OVERSAMPLE }", &model).ok());
}

TEST_F(TrainingDataTest, AugmentationOfWhatIsNoImageIsRefused) {
  EXPECT_THAT(Refusal("data { augment { flip: true } }"), HasSubstr("data.augment needs images"));
}

TEST_F(TrainingDataTest, RepeatsOfAnImageInOneEpochAreChangedDifferently) {
  job_.mutable_data()->set_train(testing::WriteToyImages({.examples = 5}, folder_ / "toy"));
  data_ = std::move(OpenData(job_.data(), 5, nullptr)->train);  // classes 0 1 2 3 and one more
  ModelInput input;
  input.features = 64;
  input.classes = 4;
  model_ = *MakeModel(job_.model(), input, {});
  const TrainingData training =
      *Make("training { balance: OVERSAMPLE } data { augment { noise: 0.5 } }");
  ASSERT_EQ(training.epoch_size(), 8u);  // one class has 2 examples
  Batch batch;
  ASSERT_TRUE(ExampleReader(&training).Read(0, {0, 8}, &batch).ok());
  std::map<uint64_t, std::vector<float>> seen;
  for (size_t i = 0; i < 8; ++i) {
    const auto image = batch.dense.span().subspan(i * 64, 64);
    const std::vector<float> values(image.begin(), image.end());
    const auto [other, first] = seen.emplace(batch.examples[i] % 5, values);
    if (!first) {
      EXPECT_NE(other->second, values);
    }
  }
  EXPECT_EQ(seen.size(), 5u);
}

TEST_F(TrainingDataTest, NegativesAreSampledAlikeInEveryEpoch) {
  const Unweighted binary(Model::Task::kBinary);
  const TrainingData training = *Make("data { negative_rate: 0.5 }", &binary);
  ASSERT_TRUE(training.kept.has_value());
  EXPECT_EQ(training.epoch_size(), training.kept->size());
  EXPECT_EQ(training.negative_rate, 0.5);
  // The four examples of classes 1 and 2 are there, and by this seed not all of the six of class 0.
  EXPECT_THAT(*training.kept, ::testing::IsSupersetOf({1u, 4u, 5u, 7u}));
  EXPECT_LT(training.epoch_size(), 10u);
  EXPECT_THAT(Describe(training), HasSubstr("negative sampling: an epoch visits"));
  ExampleReader reader(&training);
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    Batch batch;
    ASSERT_TRUE(reader.Read(epoch, {0, training.epoch_size()}, &batch).ok());
    std::vector<uint64_t> visited = batch.examples;
    std::sort(visited.begin(), visited.end());
    EXPECT_EQ(visited, std::vector<uint64_t>(training.kept->begin(), training.kept->end()));
    for (size_t i = 0; i < batch.examples.size(); ++i) {
      EXPECT_EQ(batch.labels[i], static_cast<float>(kLabels[batch.examples[i]]));
    }
  }
}

// ---------------------------------------------------------------------------------- replay

// The values of the old examples are 101 to 104, their labels 0 1 2 0.
class ReplayedDataTest : public TrainingDataTest {
 protected:
  ReplayedDataTest() {
    testing::WriteFile(folder_ / "old.libsvm", "0 1:101\n1 1:102\n2 1:103\n0 1:104\n");
    v1::Data data = job_.data();
    data.set_train(folder_ / "old.libsvm");
    data.set_features(1);
    old_ = std::move(OpenData(data, job_.seed(), nullptr)->train);
  }
  absl::StatusOr<TrainingData> Make(const std::string& text, const Model* model = nullptr) {
    v1::Job job = job_;
    EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(text, &job)) << text;
    return MakeTrainingData(job, *data_, model == nullptr ? *model_ : *model, old_.get());
  }
  // All examples of an epoch, read in batches of `size`.
  std::vector<Batch> Epoch(const TrainingData& training, uint64_t epoch, uint64_t size) {
    std::vector<Batch> batches;
    ExampleReader reader(&training);
    for (uint64_t begin = 0; begin < training.epoch_size(); begin += size) {
      const uint64_t end = std::min(begin + size, training.epoch_size());
      EXPECT_TRUE(reader.Read(epoch, {begin, end}, &batches.emplace_back()).ok());
    }
    return batches;
  }

  std::unique_ptr<Dataset> old_;
};

TEST_F(ReplayedDataTest, AnEpochIsAllNewExamplesAndTheShareOfOldOnes) {
  const TrainingData training = *Make("data { old { replay: 0.5 } }");
  EXPECT_EQ(training.epoch_size(), 20u);
  EXPECT_EQ(Describe(training), "replay: an epoch has 10 new and 10 old examples out of 4");
  std::map<float, int> seen;
  std::map<uint64_t, int> visits;
  for (const Batch& batch : Epoch(training, 3, 4)) {
    int old = 0;
    for (size_t i = 0; i < batch.values.size(); ++i) {
      ++seen[batch.values[i]];
      ++visits[batch.examples[i]];
      const bool is_old = batch.values[i] > 100;
      old += is_old;
      // Numbered through new and old ones: 14 in all.
      EXPECT_EQ(batch.examples[i] % 14, static_cast<uint64_t>(batch.values[i]) - (is_old ? 91 : 1));
    }
    EXPECT_EQ(old, 2);
    EXPECT_EQ(batch.epoch, 3u);
  }
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(seen[static_cast<float>(i)], 1) << i;
  for (int i = 101; i <= 104; ++i) {
    EXPECT_GE(seen[static_cast<float>(i)], 2) << i;
    EXPECT_LE(seen[static_cast<float>(i)], 3) << i;
  }
  EXPECT_EQ(visits.size(), 20u);  // each visit is another one
}

TEST_F(ReplayedDataTest, WhatIsReadDoesNotDependOnHowItIsCut) {
  const TrainingData training = *Make("data { old { replay: 0.3 } }");
  std::vector<std::vector<float>> values(2);
  std::vector<std::vector<uint64_t>> examples(2);
  for (const size_t way : {0, 1}) {
    for (const Batch& batch : Epoch(training, 2, way == 0 ? 100 : 1)) {
      values[way].insert(values[way].end(), batch.values.begin(), batch.values.end());
      examples[way].insert(examples[way].end(), batch.examples.begin(), batch.examples.end());
    }
  }
  EXPECT_EQ(values[0], values[1]);
  EXPECT_EQ(examples[0], examples[1]);
}

// New examples come in the order in which they come without replay.
TEST_F(ReplayedDataTest, TheOrderOfTheNewExamplesIsThatWithoutReplay) {
  const TrainingData training = *Make("data { old { replay: 0.3 } }");
  const TrainingData plain = *TrainingDataTest::Make("");
  Batch all, fresh;
  ASSERT_TRUE(ExampleReader(&training).Read(1, {0, training.epoch_size()}, &all).ok());
  ASSERT_TRUE(ExampleReader(&plain).Read(1, {0, 10}, &fresh).ok());
  std::erase_if(all.values, [](float value) { return value > 100; });
  EXPECT_EQ(all.values, fresh.values);
}

TEST_F(ReplayedDataTest, WorksWithOversamplingAndWithWeightsOfClasses) {
  const TrainingData balanced =
      *Make("data { old { replay: 0.25 } } training { balance: OVERSAMPLE }");
  EXPECT_EQ(balanced.epoch_size(), 18u + 6);
  std::map<uint64_t, int> visits;
  for (const Batch& batch : Epoch(balanced, 0, 5)) {
    for (size_t i = 0; i < batch.values.size(); ++i) {
      ++visits[batch.examples[i]];
      const bool is_old = batch.values[i] > 100;
      EXPECT_EQ(batch.examples[i] % 14, static_cast<uint64_t>(batch.values[i]) - (is_old ? 91 : 1));
    }
  }
  EXPECT_EQ(visits.size(), 24u);
  const TrainingData weighted =
      *Make("data { old { replay: 0.5 } } training { class_weights: [1, 2, 3] }");
  for (const Batch& batch : Epoch(weighted, 0, 20)) {
    for (size_t i = 0; i < 20; ++i) EXPECT_EQ(batch.weights[i], batch.labels[i] + 1);
  }
  const absl::Status refused =
      Make("data { old { replay: 0.5 } } training { balance: WEIGHTS }").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("give training.class_weights"));
}

TEST_F(ReplayedDataTest, NegativesOfTheOldDataAreSampledToo) {
  const Unweighted binary(Model::Task::kBinary);
  const TrainingData training = *Make("data { negative_rate: 0.001 old { replay: 0.5 } }", &binary);
  EXPECT_EQ(training.epoch_size(), 8u);  // the 4 new examples that are not of class 0, and as many
  for (const Batch& batch : Epoch(training, 0, 8)) {
    for (const float label : batch.labels) EXPECT_NE(label, 0);
  }
}

TEST_F(TrainingDataTest, NegativeSamplingIsRefusedWhereItCanNotBeCorrected) {
  EXPECT_THAT(Refusal("data { negative_rate: 0.5 }"), HasSubstr("the model must be binary"));
  const Unweighted binary(Model::Task::kBinary);
  EXPECT_THAT(Refusal("data { negative_rate: 0.5 } training { balance: OVERSAMPLE }", &binary),
              HasSubstr("give one of the two"));
}

}  // namespace
}  // namespace convoy
