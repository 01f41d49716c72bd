// DeepFM and wide & deep.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/worker/models/tables/table_models.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DeepModelsTest, DeepFmAddsAFactorizationMachineAndLayersOverTheSameRows) {
  const auto model = Make(DeepFm(3), Sparse(5));
  const Batch batch = IdBatch(9, 5, 4);
  TableParameters parameters(*model, 1);
  const std::vector<float> predictions = Predictions(*model, batch, &parameters);
  for (int64_t i = 0; i < batch.size; ++i) {
    const double score =
        PairwiseScore(batch, i, parameters) + DeepScore(batch, i, 0, 1, 5, parameters);
    EXPECT_NEAR(predictions[i], Sigmoid(score), kTolerance);
  }
}

TEST(DeepModelsTest, WideAndDeepAddsALinearModelAndLayersOverRowsOfTheirOwn) {
  const auto model = Make(WideAndDeep(), Sparse(5));
  const Batch batch = IdBatch(9, 5, 4);
  TableParameters parameters(*model, 1);
  const std::vector<float> predictions = Predictions(*model, batch, &parameters);
  for (int64_t i = 0; i < batch.size; ++i) {
    const double score =
        LinearScore(batch, i, 0, parameters) + DeepScore(batch, i, 1, 0, 5, parameters);
    EXPECT_NEAR(predictions[i], Sigmoid(score), kTolerance);
  }
}

TEST(DeepModelsTest, DataWithoutFieldsAreOneField) {
  Batch batch = IdBatch(9, 3, 4);
  batch.fields.clear();
  const auto model = Make(DeepFm(3));
  EXPECT_THAT(model->variables()[0].shape, ElementsAre(3, 4));
  TableParameters parameters(*model, 1);
  const std::vector<float> without = Predictions(*model, batch, &parameters);
  batch.fields.assign(batch.values.size(), 0);
  EXPECT_EQ(Predictions(*model, batch, &parameters), without);
}

TEST(DeepModelsTest, DropoutIsForTrainingOnly) {
  v1::Model config = DeepFm(3);
  config.mutable_deep_fm()->set_dropout(0.5);
  const auto with = Make(config, Sparse(5)), without = Make(DeepFm(3), Sparse(5));
  const Batch batch = IdBatch(9, 5, 4);
  TableParameters parameters(*with, 1), others(*without, 1);
  EXPECT_EQ(Predictions(*with, batch, &parameters), Predictions(*without, batch, &others));
  EXPECT_NE(with->Train(batch, parameters, parameters)->loss,
            without->Train(batch, others, others)->loss);
}

TEST(DeepModelsTest, FieldsMustBeThoseOfTheModel) {
  for (const v1::Model& config : {DeepFm(3), WideAndDeep()}) {
    Batch batch = SixRatings();
    EXPECT_THAT(TrainError(config, Sparse(1), batch),
                HasSubstr("batch: got field 1, want less than the 1 fields of model."));
    batch.fields.clear();
    EXPECT_THAT(TrainError(config, Sparse(2), batch),
                HasSubstr("batch: got values without fields, but model."));
  }
}

}  // namespace
}  // namespace convoy::testing
