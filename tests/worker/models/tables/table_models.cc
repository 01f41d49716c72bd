#include "tests/worker/models/tables/table_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace convoy::testing {
namespace {

v1::Model Config(const std::function<void(v1::Model*)>& choose) {
  v1::Model config;
  choose(&config);
  return config;
}

}  // namespace

ModelInput Sparse(int64_t fields) {
  ModelInput input;
  input.sparse = true;
  input.fields = fields;
  return input;
}

std::unique_ptr<Model> Make(const v1::Model& config, const ModelInput& input) {
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

std::vector<float> Predictions(Model& model, const Batch& batch, TableParameters* parameters) {
  parameters->Prepare(batch);
  parameters->Randomize(0.5f);
  const auto output = model.Evaluate(batch, *parameters);
  EXPECT_TRUE(output.ok()) << output.status();
  return {output->predictions.begin(), output->predictions.end()};
}

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

std::string TrainError(const v1::Model& config, const ModelInput& input, const Batch& batch) {
  const auto model = Make(config, input);
  TableParameters parameters(*model, 1);
  parameters.Prepare(batch);
  const auto output = model->Train(batch, parameters, parameters);
  EXPECT_EQ(output.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(output.status().message());
}

std::string MakeError(const v1::Model& config, const ModelInput& input) {
  const auto model = MakeModel(config, input, {});
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(model.status().message());
}

double Sigmoid(double score) { return 1 / (1 + std::exp(-score)); }

double LinearScore(const Batch& batch, int64_t example, int table, TableParameters& parameters) {
  double score = 0;
  for (int64_t p = batch.row_offsets[example]; p < batch.row_offsets[example + 1]; ++p) {
    score += parameters.row(table, batch.ids[p])[0] * batch.values[p];
  }
  return score;
}

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

}  // namespace convoy::testing
