#include "worker/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy {
namespace {

// Predicts the same probability for every example.
class Constant final : public Model {
 public:
  explicit Constant(float p) : p_(p) {}
  Task task() const override { return Task::kBinary; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float label, float* mapped) const override {
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch&, WeightSource&, GradientSink&) override {
    return BatchOutput();
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource&) override {
    predictions_.assign(static_cast<size_t>(batch.size), p_);
    BatchOutput output;
    output.loss = 1000;
    output.predictions = predictions_;
    return output;
  }

 private:
  const float p_;
  const std::vector<VariableSpec> variables_{};
  std::vector<float> predictions_;
};

class NoWeights final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int) override {
    return absl::InternalError("none");
  }
};

class EvaluationTest : public ::testing::Test {
 protected:
  v1::MetricSums Measure(float p, double rate) {
    testing::WriteFile(folder_ / "t.libsvm", "1 1:1\n0 1:1\n0 1:1\n");
    v1::Data data;
    data.set_cache_dir(folder_ / "cache");
    const auto examples = OpenFile(data, folder_ / "t.libsvm", nullptr);
    EXPECT_TRUE(examples.ok()) << examples.status();
    Constant model(p);
    NoWeights weights;
    const auto sums = Evaluate(
        **examples, {0, 3}, model, weights, [] { return absl::OkStatus(); }, rate);
    EXPECT_TRUE(sums.ok()) << sums.status();
    return *sums;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(EvaluationTest, TheLossIsThatOfTheModel) { EXPECT_EQ(Measure(0.25F, 1).loss(), 1000); }

// 0.25 of the examples kept are 0.1 of all if a third of the negatives is kept.
TEST_F(EvaluationTest, PredictionsAndLossAreCorrectedForNegativeSampling) {
  const v1::MetricSums sums = Measure(0.25F, 1.0 / 3);
  EXPECT_NEAR(sums.loss(), -std::log(0.1) - 2 * std::log(0.9), 1e-6);
  ASSERT_EQ(sums.scores_size(), 1);
  EXPECT_FLOAT_EQ(sums.scores(0), 0.1F);
}

TEST_F(EvaluationTest, CorrectedLossIsFiniteWhereTheModelIsCertain) {
  EXPECT_TRUE(std::isfinite(Measure(0, 0.5).loss()));
  EXPECT_TRUE(std::isfinite(Measure(1, 0.5).loss()));
}

}  // namespace
}  // namespace convoy
