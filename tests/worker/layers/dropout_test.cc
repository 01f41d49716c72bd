#include "worker/layers/dropout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::testing::Each;
using ::testing::HasSubstr;

constexpr int64_t kUnits = 50;

Dropout::Options Half() { return {"layer1/dropout", {1, 1, kUnits}, 0.5, 1}; }

// Batch of ones for the examples of these numbers.
Batch Ones(std::vector<uint64_t> examples, uint64_t epoch) {
  Batch batch = DenseBatch(static_cast<int64_t>(examples.size()), kUnits, 0);
  std::ranges::fill(batch.dense.span(), 1.0f);
  batch.examples = std::move(examples);
  batch.epoch = epoch;
  return batch;
}

std::vector<float> Apply(const Dropout::Options& options, const Batch& batch,
                         bool training = true) {
  Dropout dropout(options);
  LayerPass pass;
  pass.batch = &batch;
  pass.training = training;
  pass.input = batch.dense.data();
  AlignedBuffer output(batch.size * dropout.outputs());
  EXPECT_TRUE(dropout.Forward(pass, output.data()).ok());
  return {output.span().begin(), output.span().end()};
}

TEST(DropoutTest, DropsTheGivenPartAndScalesTheRest) {
  Dropout::Options options = Half();
  options.rate = 0.2;
  std::vector<uint64_t> examples(400);
  for (size_t i = 0; i < examples.size(); ++i) examples[i] = i;
  const std::vector<float> output = Apply(options, Ones(examples, 0));
  const auto dropped = std::ranges::count(output, 0.0f);
  EXPECT_EQ(dropped + std::ranges::count(output, 1.25f), 20000);
  // Binomial: mean 4000, standard deviation sqrt(20000 * 0.2 * 0.8) = 57; five of them.
  EXPECT_NEAR(static_cast<double>(dropped), 4000, 285);
}

TEST(DropoutTest, MaskOfAnExampleDoesNotDependOnItsBatch) {
  const std::vector<float> together = Apply(Half(), Ones({5, 6, 7}, 2));
  const std::vector<float> alone = Apply(Half(), Ones({7}, 2));
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + 2 * kUnits));
}

TEST(DropoutTest, MaskChangesWithSeedNameEpochAndExample) {
  const std::vector<float> mask = Apply(Half(), Ones({5}, 2));
  Dropout::Options seed = Half(), name = Half();
  seed.seed = 2;
  name.name = "layer2/dropout";
  EXPECT_NE(Apply(seed, Ones({5}, 2)), mask);
  EXPECT_NE(Apply(name, Ones({5}, 2)), mask);
  EXPECT_NE(Apply(Half(), Ones({5}, 3)), mask);
  EXPECT_NE(Apply(Half(), Ones({6}, 2)), mask);
  EXPECT_EQ(Apply(Half(), Ones({5}, 2)), mask);
}

TEST(DropoutTest, NothingIsDroppedOutsideTraining) {
  EXPECT_THAT(Apply(Half(), Ones({5, 6}, 2), /*training=*/false), Each(1.0f));
}

TEST(DropoutTest, GradientMatchesDifferences) {
  Dropout dropout(Half());
  testing::ExpectLayerGradients(dropout, DenseBatch(4, kUnits, 0));
}

TEST(DropoutTest, BatchWithoutExampleNumbersIsRefused) {
  Dropout dropout(Half());
  const Batch batch = [] {
    Batch result = Ones({1, 2}, 0);
    result.examples.clear();
    return result;
  }();
  LayerPass pass;
  pass.batch = &batch;
  pass.training = true;
  pass.input = batch.dense.data();
  AlignedBuffer output(2 * kUnits);
  const absl::Status status = dropout.Forward(pass, output.data());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("2 examples with 0 example numbers"));
}

}  // namespace
}  // namespace convoy
