#include "worker/parallel_gradients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "common/placement/slice_tree.h"
#include "tests/worker/parallel_gradients_fixture.h"
#include "worker/evaluation.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ParallelGradientsTest, SlicesOfAnMlpWithDropoutAddUpToTheBitsOfOneThread) {
  MakeMlps(4);
  const SliceTree tree(8);
  ParallelGradients gradients = Gradients();
  for (int repetition = 0; repetition < 20; ++repetition) {
    ASSERT_TRUE(ComputeSlices(gradients, 4, 4, 8).ok());
    RecordedSink sink = Sink();
    ASSERT_TRUE(gradients.AddUp(tree, {2, 1}, 4, sink).ok());
    EXPECT_EQ(gradients.Examples(tree, {2, 1}, 4), 20u);  // 8 slices of 40 examples
    EXPECT_EQ(First(sink), Sum(Sum(Alone(4, 8), Alone(5, 8)), Sum(Alone(6, 8), Alone(7, 8))));
  }
}

TEST_F(ParallelGradientsTest, AWaveThatIsNoSubtreeIsAddedUpNodeByNode) {
  MakeMlps(3);
  const SliceTree tree(6);
  ParallelGradients gradients = Gradients();
  ASSERT_TRUE(ComputeSlices(gradients, 3, 3, 6).ok());
  RecordedSink left = Sink(), right = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, {0, 3}, 3, left).ok());
  ASSERT_TRUE(gradients.AddUp(tree, {1, 2}, 3, right).ok());
  EXPECT_EQ(First(left), Alone(3, 6));
  EXPECT_EQ(First(right), Sum(Alone(4, 6), Alone(5, 6)));
}

TEST_F(ParallelGradientsTest, TheSumIsHandedOverBlockByBlock) {
  MakeLabelModels(2, AtLabel2::kNothing);
  const SliceTree tree(2);
  ParallelGradients gradients = Gradients();
  ASSERT_TRUE(ComputeSlices(gradients, 0, 2, 2).ok());
  RecordedSink sink = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, tree.root(), 0, sink).ok());
  EXPECT_THAT(sink.pieces, ElementsAre(ElementsAre(0, 0, kBlockElements),
                                       ElementsAre(0, kBlockElements, kBlockElements + 10)));
  // 40 labels 0, 1, 2, 0, ...: 13 times 3.
  EXPECT_EQ(First(sink), std::vector<float>(kBlockElements + 10, 39));
}

TEST_F(ParallelGradientsTest, EmptyAndSkippedSlicesAreNoZeros) {
  MakeLabelModels(4, AtLabel2::kInfinity);
  const SliceTree tree(4);
  ParallelGradients gradients = Gradients({.skip_not_finite = true});
  // Labels 0 1 | 2 | none | 0.
  const std::vector<Range> parts = {{0, 2}, {2, 3}, {3, 3}, {3, 4}};
  ASSERT_TRUE(gradients
                  .Run(4, *weights_,
                       [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
                         return gradients.Gradient(0, parts[part], slot, weights);
                       })
                  .ok());
  EXPECT_EQ(gradients.slot(1).examples, 0u);
  EXPECT_EQ(gradients.slot(1).batch.size, 1);  // skipped
  EXPECT_EQ(gradients.slot(2).batch.size, 0);  // empty
  EXPECT_EQ(gradients.Examples(tree, tree.root(), 0), 3u);
  RecordedSink sink = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, tree.root(), 0, sink).ok());
  EXPECT_EQ(First(sink)[0], 1.0f);

  RecordedSink nothing = Sink();
  ASSERT_TRUE(gradients.AddUp(tree, {0, 2}, 0, nothing).ok());
  EXPECT_TRUE(nothing.pieces.empty());
}

TEST_F(ParallelGradientsTest, EachSliceIsClippedByItself) {
  MakeMlps(2);
  const SliceTree tree(2);
  ParallelGradients gradients = Gradients({.clip_norm = 1e-3});
  ASSERT_TRUE(ComputeSlices(gradients, 0, 2, 2).ok());
  for (size_t part = 0; part < 2; ++part) {
    double squares = 0;
    for (const std::span<float> variable : gradients.gradient(part).spans()) {
      for (const float value : variable) squares += double{value} * value;
    }
    EXPECT_NEAR(std::sqrt(squares) / 20, 1e-3, 1e-6);  // 20 examples each
  }
}

TEST_F(ParallelGradientsTest, AnExceptionInAnyThreadIsAnErrorThatNamesModelAndBatch) {
  MakeLabelModels(3, AtLabel2::kThrow);
  ParallelGradients gradients = Gradients();
  // Labels 0 1 | 0 1 | 2: the last thread throws.
  const std::vector<Range> parts = {{0, 2}, {3, 5}, {5, 6}};
  const absl::Status status = gradients.Run(
      3, *weights_, [&](size_t part, ParallelGradients::Slot& slot, WeightSource& weights) {
        return gradients.Gradient(0, parts[part], slot, weights);
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model \"label\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("batch of 1 examples (numbers 5)"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("it threw std::runtime_error: no label 2"));
}

TEST_F(ParallelGradientsTest, TheCallersWorkIsInterruptedBetweenPieces) {
  MakeMlps(2);
  ParallelGradients gradients =
      Gradients({.between = [] { return absl::AbortedError("the job has failed"); }});
  EXPECT_EQ(ComputeSlices(gradients, 0, 2, 2), absl::AbortedError("the job has failed"));
}

TEST_F(ParallelGradientsTest, PartsOfAnEvaluationHaveTheSumsOfOneThread) {
  MakeMlps(3);
  const std::vector<Range> parts = {{0, 9}, {9, 20}, {20, 21}, {21, 40}};
  const auto between = [] { return absl::OkStatus(); };
  const auto sums = EvaluateParts(data_, parts, *threads_, models_, *weights_, between);
  ASSERT_TRUE(sums.ok()) << sums.status();
  ASSERT_EQ(sums->size(), parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto alone = Evaluate(data_, parts[i], *models_[0], *weights_, between);
    EXPECT_EQ((*sums)[i].SerializeAsString(), alone->SerializeAsString());
  }
}

}  // namespace
}  // namespace convoy
