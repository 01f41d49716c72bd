// What all models with tables learn and refuse.
#include "tests/worker/models/tables/table_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TableModelsTest, PairsOfCategoriesAreLearntByAllButTheLinearModel) {
  const Batch batch = SameCategory();
  // A third of the labels is 1: nothing better than the entropy of 1/3, 0.6365, can be said from
  // one category.
  EXPECT_NEAR(LossAfter(*Make(SparseLogistic()), batch, 3000, 1), 0.6365, 1e-3);
  EXPECT_LT(LossAfter(*Make(Factorization(4)), batch, 3000, 1), 0.05);
  EXPECT_LT(LossAfter(*Make(DeepFm(4), Sparse(2)), batch, 3000, 1), 0.05);
  v1::Model deep = WideAndDeep();
  deep.mutable_wide_and_deep()->set_hidden(0, 16);
  EXPECT_LT(LossAfter(*Make(deep, Sparse(2)), batch, 3000, 1), 0.05);
}

TEST(TableModelsTest, WithoutIdsTheColumnsAreTheIds) {
  Batch with_ids = SameCategory(), with_columns = SameCategory();
  with_columns.columns.assign(with_ids.ids.begin(), with_ids.ids.end());
  with_columns.ids.clear();
  for (const v1::Model& config : {Factorization(4), Ratings(4)}) {
    const auto model = Make(config);
    std::vector<uint64_t> ids, columns = {77};
    model->AppendIds(with_ids, 0, &ids);
    model->AppendIds(with_columns, 0, &columns);
    EXPECT_EQ(columns[0], 77u);  // appended, not replaced
    columns.erase(columns.begin());
    EXPECT_EQ(columns, ids);
    EXPECT_FALSE(ids.empty());
  }
}

TEST(TableModelsTest, EvaluationNeedsNoLabelsAndNoExamples) {
  for (const v1::Model& config :
       {SparseLogistic(), Factorization(3), DeepFm(3), WideAndDeep(), Ratings(3)}) {
    const auto model = Make(config, Sparse(2));
    Batch batch = SixRatings();
    batch.labels.clear();
    TableParameters parameters(*model, 1);
    EXPECT_EQ(Predictions(*model, batch, &parameters).size(), 6u);
    Batch empty;
    empty.sparse = true;
    empty.row_offsets = {0};
    parameters.Prepare(empty);
    const auto output = model->Evaluate(empty, parameters);
    ASSERT_TRUE(output.ok()) << output.status();
    EXPECT_THAT(output->predictions, IsEmpty());
  }
}

TEST(TableModelsTest, BatchesThatDoNotFitTogetherAreRefused) {
  const auto error = [](const std::function<void(Batch*)>& spoil) {
    Batch batch = SixRatings();
    spoil(&batch);
    return TrainError(SparseLogistic(), Sparse(), batch);
  };
  EXPECT_EQ(error([](Batch* b) { b->ids.pop_back(); }), "batch: got 11 ids, want 12");
  EXPECT_EQ(error([](Batch* b) { b->ids.clear(); }), "batch: got 0 columns, want 12");
  EXPECT_EQ(error([](Batch* b) { b->fields.pop_back(); }), "batch: got 11 fields, want 12");
  EXPECT_EQ(error([](Batch* b) { b->labels.clear(); }), "batch: got 0 labels, want 6");
  EXPECT_EQ(error([](Batch* b) { b->weights = {1}; }), "batch: got 1 weights, want 6");
  EXPECT_EQ(error([](Batch* b) { b->row_offsets.pop_back(); }), "batch: got 6 row offsets, want 7");
  EXPECT_EQ(error([](Batch* b) { b->sparse = false; }), "batch: got dense features, want sparse");
  for (const auto& [at, offset] : {std::pair{0, 1}, {6, 13}, {6, 11}, {3, 9}}) {
    EXPECT_EQ(error([at = at, offset = offset](Batch* b) { b->row_offsets[at] = offset; }),
              "batch: row offsets must rise from 0 to the 12 values");
  }
  EXPECT_EQ(error([](Batch* b) { *b = Batch(); }),
            "batch: got 0 examples, want at least 1 to train on");
}

TEST(TableModelsTest, RowsOfAnotherBatchAreAnInternalError) {
  for (const v1::Model& config :
       {SparseLogistic(), Factorization(3), DeepFm(3), WideAndDeep(), Ratings(3)}) {
    const auto model = Make(config, Sparse(2));
    TableParameters parameters(*model, 1);
    parameters.Prepare(SixRatings());
    parameters.DropAPlace();
    const auto output = model->Train(SixRatings(), parameters, parameters);
    EXPECT_EQ(output.status().code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(output.status().message()),
                HasSubstr("rows of table \"" + model->tables()[0].name));
  }
}

TEST(TableModelsTest, SettingsOutOfRangeAreRefused) {
  EXPECT_EQ(MakeError(Factorization(0), Sparse()),
            "model.factorization_machine.factors: got 0, want 1 to 512");
  EXPECT_EQ(MakeError(Factorization(513), Sparse()),
            "model.factorization_machine.factors: got 513, want 1 to 512");
  v1::Model config = DeepFm(3);
  config.mutable_deep_fm()->set_init_scale(0);
  EXPECT_EQ(MakeError(config, Sparse()), "model.deep_fm.init_scale: got 0, want more than 0");
  config = DeepFm(3);
  config.mutable_deep_fm()->add_hidden(0);
  EXPECT_EQ(MakeError(config, Sparse()), "model.deep_fm.hidden: got 0, want at least 1");
  config = WideAndDeep();
  config.mutable_wide_and_deep()->set_dropout(1);
  EXPECT_EQ(MakeError(config, Sparse()),
            "model.wide_and_deep.dropout: got 1, want at least 0 and less than 1");
  config = WideAndDeep();
  config.mutable_wide_and_deep()->set_fields(2);
  EXPECT_EQ(MakeError(config, Sparse(3)), "model.wide_and_deep.fields: got 2, but the data have 3");
  EXPECT_EQ(MakeError(WideAndDeep(), Sparse(5000)),
            "model.wide_and_deep: got 5000 fields, want at most 4096");
}

TEST(TableModelsTest, DenseDataAreRefused) {
  ModelInput dense;
  dense.features = 784;
  for (const v1::Model& config :
       {SparseLogistic(), Factorization(3), DeepFm(3), WideAndDeep(), Ratings(3)}) {
    EXPECT_THAT(
        MakeError(config, dense),
        HasSubstr("needs sparse data, each value with its id, got dense examples of 784 features"));
  }
}

}  // namespace
}  // namespace convoy::testing
