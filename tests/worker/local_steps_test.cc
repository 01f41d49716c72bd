#include "worker/local_steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "common/optimizers/anchored.h"
#include "tests/worker/one_weight.h"
#include "worker/step_plan.h"

namespace convoy {
namespace {

class LocalStepsTest : public ::testing::Test {
 protected:
  void Make(bool skip = false, double clip_norm = 0) {
    LocalSteps::Options options;
    options.optimizer.optimizer.mutable_momentum()->set_momentum(0.5);
    options.optimizer.optimizer.set_learning_rate(1);
    options.skip_not_finite = skip;
    options.clip_norm = clip_norm;
    steps_ = *LocalSteps::Create(options, model_.variables());
  }
  void Step(const std::vector<float>& features) {
    ASSERT_TRUE(steps_->Step(model_, BatchOf(features), 0).ok());
  }
  float Difference(float factor) {
    Sent sent;
    EXPECT_TRUE(steps_->End(pulled_, factor, {}, sent).ok());
    return sent.value;
  }

  SumModel model_;
  Pulled pulled_;
  std::unique_ptr<LocalSteps> steps_;
};

TEST_F(LocalStepsTest, TheContributionIsHowFarTheStepsCame) {
  Make();
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({1, 3});  // mean 2: v = 2, w = 8
  Step({4});     // v = 0.5 * 2 + 4 = 5, w = 3
  EXPECT_EQ(model_.seen_weights, (std::vector<float>{10, 8}));
  EXPECT_EQ(Difference(1), -7);
  EXPECT_EQ(Difference(3), -21);
}

TEST_F(LocalStepsTest, SlotsStartAnewInEachRound) {
  Make();
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({2});
  pulled_.value = 5;
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({2});  // the same step as in the first round: no momentum is left
  EXPECT_EQ(model_.seen_weights, (std::vector<float>{10, 5}));
  EXPECT_EQ(Difference(1), -2);
}

TEST_F(LocalStepsTest, AGradientThatIsNotFiniteIsNoStepIfTheJobSkipsThem) {
  Make(/*skip=*/true);
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({std::numeric_limits<float>::infinity()});
  Step({2});
  EXPECT_EQ(Difference(1), -2);
  EXPECT_EQ(steps_->TakeSkipped(), 1u);
  EXPECT_EQ(steps_->TakeSkipped(), 0u);
}

TEST_F(LocalStepsTest, ANotFiniteGradientOtherwiseShowsInTheContribution) {
  Make();
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(std::isnan(Difference(1)));
}

TEST_F(LocalStepsTest, TheNormOfEveryStepsMeanGradientIsClipped) {
  Make(/*skip=*/false, /*clip_norm=*/0.5);
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({30, 50});  // mean 40, cut to 0.5
  EXPECT_FLOAT_EQ(Difference(1), -0.5f);
}

// A table of 1 column; the features of a batch are its ids. The gradient of a row is the number of
// places that read it; of id 13 it is infinite.
class CountModel final : public Model {
 public:
  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  const std::vector<TableSpec>& tables() const override { return tables_; }
  absl::Status CheckLabel(float, float*) const override { return absl::OkStatus(); }
  void AppendIds(const Batch& batch, int, std::vector<uint64_t>* ids) const override {
    for (int64_t i = 0; i < batch.size; ++i)
      ids->push_back(static_cast<uint64_t>(batch.dense[static_cast<size_t>(i)]));
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    on_train();
    const TableRows rows = *weights.Rows(0);
    const std::span<float> sums = gradients.RowGradients(0);
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) {
      read.push_back(rows.values[rows.places[i]]);
      sums[rows.places[i]] += batch.dense[i] == 13 ? std::numeric_limits<float>::infinity() : 1;
    }
    EXPECT_TRUE(gradients.RowsReady(0).ok());
    return BatchOutput();
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch&, WeightSource&) override {
    return BatchOutput();
  }

  std::function<void()> on_train = [] {};
  std::vector<float> read;

 private:
  const std::vector<VariableSpec> variables_{};
  const std::vector<TableSpec> tables_ = {{"t", {{"w", 1, {}}}}};
};

// Every row is 100. With anchors, all are held at 60 but that of id 9, which is new.
class PulledRows final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int) override { return std::span<const float>(); }
  absl::Status WantRows(int, std::span<const uint64_t> ids) override {
    EXPECT_FALSE(anchored);
    asked.emplace_back(ids.begin(), ids.end());
    return absl::OkStatus();
  }
  absl::Status WantRowsAndAnchors(int, std::span<const uint64_t> ids, uint32_t anchors) override {
    EXPECT_TRUE(anchored);
    EXPECT_EQ(anchors, 1u);
    asked.emplace_back(ids.begin(), ids.end());
    return absl::OkStatus();
  }
  void UseWantedRows() override { used_ = asked.back(); }
  absl::StatusOr<TableRows> Rows(int) override {
    values_.clear();
    for (const uint64_t id : used_) {
      values_.push_back(100);
      if (anchored) values_.push_back(id == 9 ? kNotAnchored : 60);
    }
    places_.resize(used_.size());
    std::iota(places_.begin(), places_.end(), 0u);
    return TableRows{values_, places_, static_cast<int64_t>(used_.size())};
  }

  bool anchored = false;
  std::vector<std::vector<uint64_t>> asked;

 private:
  std::vector<uint64_t> used_;
  std::vector<float> values_;
  std::vector<uint32_t> places_;
};

class LocalStepsOnRowsTest : public ::testing::Test {
 protected:
  void Begin(bool skip = false, double clip_norm = 0, double anchor = 0) {
    LocalSteps::Options options;
    options.optimizer.optimizer.set_learning_rate(1);
    options.optimizer.optimizer.set_anchor(anchor);
    pulled_.anchored = anchor > 0;
    options.skip_not_finite = skip;
    options.clip_norm = clip_norm;
    steps_ = *LocalSteps::Create(options, model_.variables(), model_.tables());
    ASSERT_TRUE(steps_->Begin(pulled_).ok());
  }
  void Step(const std::vector<float>& ids) {
    ASSERT_TRUE(steps_->Step(model_, BatchOf(ids), 0).ok());
  }
  // By id, as messages to 2 servers have them.
  std::map<uint64_t, float> Differences(float factor) {
    const std::vector<uint64_t> ids = steps_->UpdatedIds()[0];
    const auto batch = std::make_shared<TableBatch>(0, 1, 2);
    batch->Build(ids);
    Sent sent;
    EXPECT_TRUE(steps_->End(pulled_, factor, {batch}, sent).ok());
    EXPECT_EQ(sent.tables, 1);
    std::map<uint64_t, float> differences;
    for (size_t i = 0; i < ids.size(); ++i)
      differences[ids[i]] = batch->gradients()[batch->rows().places[i]];
    return differences;
  }

  CountModel model_;
  PulledRows pulled_;
  std::unique_ptr<LocalSteps> steps_;
};

TEST_F(LocalStepsOnRowsTest, RowsAreAskedForOnceInARoundAndSteppedFromThere) {
  Begin();
  Step({4, 9});  // each a gradient of 1 over 2 examples
  Step({9, 9, 9, 7});
  EXPECT_THAT(pulled_.asked[0], ::testing::UnorderedElementsAre(4, 9));
  EXPECT_THAT(pulled_.asked[1], ::testing::ElementsAre(7));
  EXPECT_EQ(model_.read, (std::vector<float>{100, 100, 99.5, 99.5, 99.5, 100}));
  EXPECT_EQ(Differences(1), (std::map<uint64_t, float>{{4, -0.5f}, {7, -0.25f}, {9, -1.25f}}));
  EXPECT_EQ(Differences(6)[9], -7.5f);
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({9});
  EXPECT_THAT(pulled_.asked[2], ::testing::ElementsAre(9)) << "a new round reads it anew";
  EXPECT_EQ(Differences(1), (std::map<uint64_t, float>{{9, -1}}));
}

TEST_F(LocalStepsOnRowsTest, RowsOfTheNextBatchAreAskedForBeforeThisOneComputes) {
  Begin();
  const Batch one = BatchOf({4, 9}), two = BatchOf({9, 7});
  model_.on_train = [this] { EXPECT_EQ(pulled_.asked.size(), 2u); };
  ASSERT_TRUE(steps_->Step(model_, one, 0, &two).ok());
  EXPECT_THAT(pulled_.asked[1], ::testing::ElementsAre(7));
  ASSERT_TRUE(steps_->Step(model_, two, 0).ok());
  EXPECT_EQ(model_.read, (std::vector<float>{100, 100, 99.5, 100})) << "9 as it was stepped";
  EXPECT_EQ(Differences(1), (std::map<uint64_t, float>{{4, -0.5f}, {7, -0.5f}, {9, -1}}));
}

TEST_F(LocalStepsOnRowsTest, ASkippedGradientChangesAndNamesNoRow) {
  Begin(/*skip=*/true);
  Step({4, 13});
  Step({5});
  EXPECT_EQ(Differences(1), (std::map<uint64_t, float>{{5, -1}}));
  EXPECT_EQ(steps_->TakeSkipped(), 1u);
}

TEST_F(LocalStepsOnRowsTest, TheNormOfAGradientCountsItsRows) {
  Begin(/*skip=*/false, /*clip_norm=*/0.5);
  Step({6});  // 1, cut to 0.5
  EXPECT_EQ(Differences(1), (std::map<uint64_t, float>{{6, -0.5f}}));
}

TEST_F(LocalStepsOnRowsTest, RowsAreHeldByTheAnchorsThatCameWithThem) {
  Begin(/*skip=*/false, /*clip_norm=*/0, /*anchor=*/0.5);
  Step({4, 9});  // each a mean gradient of 0.5; of 4: 0.5 + 0.5 * (100 - 60) = 20.5
  Step({4, 7});  // of 4: 0.5 + 0.5 * (79.5 - 60) = 10.25
  EXPECT_EQ(model_.read, (std::vector<float>{100, 100, 79.5, 100}));
  EXPECT_EQ(Differences(1), (std::map<uint64_t, float>{{4, -30.75f}, {7, -20.5f}, {9, -0.5f}}));
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({4});
  EXPECT_EQ(Differences(1), (std::map<uint64_t, float>{{4, -21}})) << "read anew";
}

TEST(StepPlanTest, ARoundOfLocalStepsIsThatManyGlobalBatchesAndNeverCrossesAnEpoch) {
  v1::Training training;
  training.set_batch_size(4);
  training.set_slices(2);
  training.set_epochs(3);
  const StepPlan plan(training, {.kind = Mode::Kind::kLocalSgd, .local_steps = 2}, 11);
  EXPECT_EQ(plan.per_epoch(), 2u);  // batches of 4, 4 and 3
  EXPECT_EQ(plan.total(), 6u);
  EXPECT_EQ(plan.SliceBatches(plan.Step(0), 1), (std::vector<Range>{{2, 4}, {6, 8}}));
  EXPECT_EQ(plan.SliceBatches(plan.Step(3), 1),
            (std::vector<Range>{{9, 11}}));  // floor(3 / 2) = 1 of slice 0
  EXPECT_EQ(plan.SliceExamples(plan.Step(0), 0), 4u);
  EXPECT_EQ(plan.SliceExamples(plan.Step(1), 0), 1u);
}

}  // namespace
}  // namespace convoy
