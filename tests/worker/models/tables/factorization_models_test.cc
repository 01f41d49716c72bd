// Logistic regression and factorization machines over rows of tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/worker/models/tables/table_models.h"

namespace convoy::testing {
namespace {

TEST(FactorizationModelsTest, SparseLogisticIsTheSigmoidOfBiasAndWeights) {
  const auto model = Make(SparseLogistic());
  const Batch batch = IdBatch(9, 3, 4);
  TableParameters parameters(*model, 1);
  const std::vector<float> predictions = Predictions(*model, batch, &parameters);
  for (int64_t i = 0; i < batch.size; ++i) {
    const double score =
        parameters.variables().weights(0)[0] + LinearScore(batch, i, 0, parameters);
    EXPECT_NEAR(predictions[i], Sigmoid(score), kTolerance);
  }
}

TEST(FactorizationModelsTest, TheLinearTimeFormulaOfFactorizationMachinesIsTheSumOverAllPairs) {
  for (const uint32_t factors : {1, 4, 7, 8, 16, 20, 32, 512}) {
    SCOPED_TRACE(factors);
    const auto model = Make(Factorization(factors));
    const Batch batch = IdBatch(9, 5, 4);
    TableParameters parameters(*model, 1);
    const std::vector<float> predictions = Predictions(*model, batch, &parameters);
    for (int64_t i = 0; i < batch.size; ++i) {
      const double score =
          parameters.variables().weights(0)[0] + PairwiseScore(batch, i, parameters);
      EXPECT_NEAR(predictions[i], Sigmoid(score), kTolerance * factors);
    }
  }
}

TEST(FactorizationModelsTest, RowsStartAsTheirTablesSay) {
  v1::Model config = Factorization(100);
  config.mutable_factorization_machine()->set_init_scale(0.5);
  const auto model = Make(config);
  Batch batch = IdBatch(9, 5, 4);
  TableParameters parameters(*model, 1);
  parameters.Prepare(batch);
  double squares = 0;
  const size_t rows = parameters.ids(0).size();
  for (const uint64_t id : parameters.ids(0)) {
    const auto row = parameters.row(0, id);
    EXPECT_EQ(row[0], 0);
    for (const float factor : row.subspan(1)) squares += factor * factor;
  }
  // The mean of n squares of deviation 0.5 is 0.25 (1 +- 4 sqrt(2 / n)); some 20 rows make n =
  // 2,000.
  ASSERT_GE(rows, 16u);
  EXPECT_NEAR(squares / static_cast<double>(rows * 100), 0.25, 0.04);
}

}  // namespace
}  // namespace convoy::testing
