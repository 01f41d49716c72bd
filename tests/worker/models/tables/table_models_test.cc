// What the models with tables predict, learn and refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/worker/models/tables/table_parameters.h"
#include "worker/models/model.h"

namespace convoy {
namespace {

using ::convoy::testing::IdBatch;
using ::convoy::testing::TableParameters;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelInput Sparse(int64_t fields = 0) {
  ModelInput input;
  input.sparse = true;
  input.fields = fields;
  return input;
}

v1::Model Config(const std::function<void(v1::Model*)>& choose) {
  v1::Model config;
  choose(&config);
  return config;
}

std::unique_ptr<Model> Make(const v1::Model& config, const ModelInput& input = Sparse()) {
  auto model = MakeModel(config, input, {});
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

v1::Model SparseLogistic() {
  return Config([](v1::Model* m) { m->mutable_sparse_logistic(); });
}
v1::Model Factorization(uint32_t factors) {
  return Config([&](v1::Model* m) { m->mutable_factorization_machine()->set_factors(factors); });
}
v1::Model DeepFm(uint32_t factors) {
  return Config([&](v1::Model* m) {
    m->mutable_deep_fm()->set_factors(factors);
    m->mutable_deep_fm()->add_hidden(4);
  });
}
v1::Model WideAndDeep() {
  return Config([](v1::Model* m) {
    m->mutable_wide_and_deep()->set_dim(2);
    m->mutable_wide_and_deep()->add_hidden(4);
  });
}
v1::Model Ratings(uint32_t factors) {
  return Config([&](v1::Model* m) { m->mutable_matrix_factorization()->set_factors(factors); });
}

// Predictions at random weights, and those weights.
std::vector<float> Predictions(Model& model, const Batch& batch, TableParameters* parameters) {
  parameters->Prepare(batch);
  parameters->Randomize(0.5f);
  const auto output = model.Evaluate(batch, *parameters);
  EXPECT_TRUE(output.ok()) << output.status();
  return {output->predictions.begin(), output->predictions.end()};
}

double Sigmoid(double score) { return 1 / (1 + std::exp(-score)); }

// The terms w x and (v_i . v_j) x_i x_j of an example, pair by pair.
double PairwiseScore(const Batch& batch, int64_t example, TableParameters& parameters) {
  double score = 0;
  for (int64_t p = batch.row_offsets[example]; p < batch.row_offsets[example + 1]; ++p) {
    const auto one = parameters.row(0, batch.ids[p]);
    score += one[0] * batch.values[p];
    for (int64_t q = p + 1; q < batch.row_offsets[example + 1]; ++q) {
      const auto other = parameters.row(0, batch.ids[q]);
      double product = 0;
      for (size_t f = 1; f < one.size(); ++f) product += double{one[f]} * other[f];
      score += product * batch.values[p] * batch.values[q];
    }
  }
  return score;
}

// The output of one hidden layer of ReLUs and the head over the fields, where `first` is the first
// column of an embedding.
double DeepScore(const Batch& batch, int64_t example, int table, size_t first, int64_t fields,
                 TableParameters& parameters) {
  const size_t columns = parameters.row(table, batch.ids[0]).size() - first;
  std::vector<double> input(static_cast<size_t>(fields) * columns);
  for (int64_t p = batch.row_offsets[example]; p < batch.row_offsets[example + 1]; ++p) {
    const auto row = parameters.row(table, batch.ids[p]);
    for (size_t c = 0; c < columns; ++c)
      input[batch.fields[p] * columns + c] += row[first + c] * batch.values[p];
  }
  const auto weight = parameters.variables().weights(0), bias = parameters.variables().weights(1);
  const auto head = parameters.variables().weights(2);
  double score = parameters.variables().weights(3)[0];
  for (size_t unit = 0; unit < bias.size(); ++unit) {
    double sum = bias[unit];
    for (size_t i = 0; i < input.size(); ++i) sum += input[i] * weight[i * bias.size() + unit];
    score += std::max(sum, 0.0) * head[unit];
  }
  return score;
}

// float32 scores of some 50 terms of order 1 are right to about 50 * 2^-24 * 4 = 1e-5.
constexpr double kTolerance = 1e-5;

TEST(TableModelsTest, SparseLogisticIsTheSigmoidOfBiasAndWeights) {
  const auto model = Make(SparseLogistic());
  const Batch batch = IdBatch(9, 3, 4);
  TableParameters parameters(*model, 1);
  const std::vector<float> predictions = Predictions(*model, batch, &parameters);
  for (int64_t i = 0; i < batch.size; ++i) {
    double score = parameters.variables().weights(0)[0];
    for (int64_t p = batch.row_offsets[i]; p < batch.row_offsets[i + 1]; ++p) {
      score += parameters.row(0, batch.ids[p])[0] * batch.values[p];
    }
    EXPECT_NEAR(predictions[i], Sigmoid(score), kTolerance);
  }
}

TEST(TableModelsTest, TheLinearTimeFormulaOfFactorizationMachinesIsTheSumOverAllPairs) {
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

TEST(TableModelsTest, DeepFmAddsAFactorizationMachineAndLayersOverTheSameRows) {
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

TEST(TableModelsTest, WideAndDeepAddsALinearModelAndLayersOverRowsOfTheirOwn) {
  const auto model = Make(WideAndDeep(), Sparse(5));
  const Batch batch = IdBatch(9, 5, 4);
  TableParameters parameters(*model, 1);
  const std::vector<float> predictions = Predictions(*model, batch, &parameters);
  for (int64_t i = 0; i < batch.size; ++i) {
    double score = DeepScore(batch, i, 1, 0, 5, parameters);
    for (int64_t p = batch.row_offsets[i]; p < batch.row_offsets[i + 1]; ++p) {
      score += parameters.row(0, batch.ids[p])[0] * batch.values[p];
    }
    EXPECT_NEAR(predictions[i], Sigmoid(score), kTolerance);
  }
}

// Two users, three items: 6 ratings, user 1 and item 1 have the same id.
Batch SixRatings() {
  Batch batch;
  batch.size = 6;
  batch.sparse = true;
  batch.row_offsets = {0};
  for (const uint64_t user : {1, 2}) {
    for (const uint64_t item : {1, 8, 9}) {
      batch.ids.insert(batch.ids.end(), {user, item});
      batch.fields.insert(batch.fields.end(), {0, 1});
      batch.values.insert(batch.values.end(), {1, 1});
      batch.row_offsets.push_back(static_cast<int64_t>(batch.ids.size()));
      batch.examples.push_back(batch.labels.size());
      // Centred at 3, and what user 1 likes user 2 does not: only the factors can tell.
      batch.labels.push_back(3.0f +
                             (user == 1 ? 1.0f : -1.0f) * (static_cast<float>(item % 4) - 0.5f));
    }
  }
  return batch;
}

TEST(TableModelsTest, MatrixFactorizationAddsBiasesAndTheProductOfTheFactors) {
  const auto model = Make(Ratings(4));
  const Batch batch = SixRatings();
  TableParameters parameters(*model, 1);
  const std::vector<float> predictions = Predictions(*model, batch, &parameters);
  for (int64_t i = 0; i < batch.size; ++i) {
    const auto user = parameters.row(0, batch.ids[2 * i]),
               item = parameters.row(1, batch.ids[2 * i + 1]);
    double rating = parameters.variables().weights(0)[0] + user[0] + item[0];
    for (size_t f = 1; f <= 4; ++f) rating += double{user[f]} * item[f];
    EXPECT_NEAR(predictions[i], rating, kTolerance);
  }
}

TEST(TableModelsTest, UsersAndItemsAreInTablesOfTheirOwn) {
  const auto model = Make(Ratings(4));
  std::vector<uint64_t> users, items;
  model->AppendIds(SixRatings(), 0, &users);
  model->AppendIds(SixRatings(), 1, &items);
  EXPECT_THAT(users, ElementsAre(1, 1, 1, 2, 2, 2));
  EXPECT_THAT(items, ElementsAre(1, 8, 9, 1, 8, 9));
}

TEST(TableModelsTest, MeanIsWhereTheBiasOfMatrixFactorizationStarts) {
  v1::Model config = Ratings(4);
  config.mutable_matrix_factorization()->set_mean(3.5);
  const auto model = Make(config);
  TableParameters parameters(*model, 1);
  EXPECT_EQ(parameters.variables().weights(0)[0], 3.5f);
}

// Loss of the last of `steps` steps of plain gradient descent on one batch.
double LossAfter(Model& model, const Batch& batch, int steps, float rate) {
  TableParameters parameters(model, 1);
  double loss = 0;
  for (int step = 0; step < steps; ++step) {
    parameters.Prepare(batch);
    const auto output = model.Train(batch, parameters, parameters);
    EXPECT_TRUE(output.ok()) << output.status();
    if (!output.ok()) return NAN;
    loss = output->loss;
    parameters.Step(rate / static_cast<float>(batch.size));
  }
  return loss / static_cast<double>(batch.size);
}

TEST(TableModelsTest, MatrixFactorizationLearnsWhatBiasesCannotSay) {
  EXPECT_LT(LossAfter(*Make(Ratings(4)), SixRatings(), 3000, 0.1f), 0.01);
}

// Label 1 if both fields have the same category of three: every weight sees as many ones whatever
// the other field is.
Batch SameCategory() {
  Batch batch;
  batch.sparse = true;
  batch.row_offsets = {0};
  for (uint64_t one = 0; one < 3; ++one) {
    for (uint64_t other = 0; other < 3; ++other) {
      batch.ids.insert(batch.ids.end(), {one, 10 + other});
      batch.fields.insert(batch.fields.end(), {0, 1});
      batch.values.insert(batch.values.end(), {1, 1});
      batch.row_offsets.push_back(static_cast<int64_t>(batch.ids.size()));
      batch.labels.push_back(one == other ? 1.0f : 0.0f);
      batch.examples.push_back(static_cast<uint64_t>(batch.size++));
    }
  }
  return batch;
}

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

TEST(TableModelsTest, RowsStartAsTheirTablesSay) {
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

TEST(TableModelsTest, DataWithoutFieldsAreOneField) {
  Batch batch = IdBatch(9, 3, 4);
  batch.fields.clear();
  const auto model = Make(DeepFm(3));
  EXPECT_THAT(model->variables()[0].shape, ElementsAre(3, 4));
  TableParameters parameters(*model, 1);
  const std::vector<float> without = Predictions(*model, batch, &parameters);
  batch.fields.assign(batch.values.size(), 0);
  EXPECT_EQ(Predictions(*model, batch, &parameters), without);
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

TEST(TableModelsTest, DropoutIsForTrainingOnly) {
  v1::Model config = DeepFm(3);
  config.mutable_deep_fm()->set_dropout(0.5);
  const auto with = Make(config, Sparse(5)), without = Make(DeepFm(3), Sparse(5));
  const Batch batch = IdBatch(9, 5, 4);
  TableParameters parameters(*with, 1), others(*without, 1);
  EXPECT_EQ(Predictions(*with, batch, &parameters), Predictions(*without, batch, &others));
  EXPECT_NE(with->Train(batch, parameters, parameters)->loss,
            without->Train(batch, others, others)->loss);
}

std::string TrainError(const v1::Model& config, const ModelInput& input, const Batch& batch) {
  const auto model = Make(config, input);
  TableParameters parameters(*model, 1);
  parameters.Prepare(batch);
  const auto output = model->Train(batch, parameters, parameters);
  EXPECT_EQ(output.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(output.status().message());
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

TEST(TableModelsTest, FieldsMustBeThoseOfTheModel) {
  for (const v1::Model& config : {DeepFm(3), WideAndDeep()}) {
    Batch batch = SixRatings();
    EXPECT_THAT(TrainError(config, Sparse(1), batch),
                HasSubstr("batch: got field 1, want less than the 1 fields of model."));
    batch.fields.clear();
    EXPECT_THAT(TrainError(config, Sparse(2), batch),
                HasSubstr("batch: got values without fields, but model."));
  }
}

TEST(TableModelsTest, ARatingHasAUserAndAnItem) {
  Batch batch = SixRatings();
  batch.row_offsets[3] = 7;
  EXPECT_EQ(
      TrainError(Ratings(3), Sparse(), batch),
      "batch: got 3 values of example 2, want 2 for matrix_factorization: the user and the item");
  batch = SixRatings();
  batch.fields[6] = 1;
  EXPECT_EQ(TrainError(Ratings(3), Sparse(), batch),
            "batch: got field 1 at value 0 of example 3, want 0: matrix_factorization has field 0 "
            "for users and 1 for "
            "items");
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

std::string MakeError(const v1::Model& config, const ModelInput& input) {
  const auto model = MakeModel(config, input, {});
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(model.status().message());
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
}  // namespace convoy
