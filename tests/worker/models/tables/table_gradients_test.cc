// The gradients of all models with tables, of variables and rows, against finite differences.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/worker/models/tables/table_parameters.h"
#include "worker/models/model.h"

namespace convoy {
namespace {

using ::convoy::testing::DifferenceOptions;
using ::convoy::testing::ExpectTableModelGradients;
using ::convoy::testing::IdBatch;
using ::convoy::testing::TableParameters;

constexpr int64_t kSize = 12, kFields = 3;

std::unique_ptr<Model> Make(const std::function<void(v1::Model*)>& choose) {
  v1::Model config;
  choose(&config);
  ModelInput input;
  input.sparse = true;
  input.fields = kFields;
  auto model = MakeModel(config, input, {});
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

std::unique_ptr<Model> SmallDeepFm(double dropout = 0) {
  return Make([&](v1::Model* m) {
    m->mutable_deep_fm()->set_factors(3);
    m->mutable_deep_fm()->add_hidden(6);
    m->mutable_deep_fm()->set_dropout(dropout);
  });
}

std::unique_ptr<Model> SmallWideAndDeep() {
  return Make([](v1::Model* m) {
    m->mutable_wide_and_deep()->set_dim(3);
    m->mutable_wide_and_deep()->add_hidden(6);
  });
}

std::unique_ptr<Model> Factorization(uint32_t factors, v1::FactorizationMachine::Task task) {
  return Make([&](v1::Model* m) {
    m->mutable_factorization_machine()->set_factors(factors);
    m->mutable_factorization_machine()->set_task(task);
  });
}

// Examples of a user and an item each; ratings around 0.
Batch Ratings() {
  Batch batch = IdBatch(kSize + 2, 2, 5);
  // Without the first two examples, which have no values and three of them.
  batch.size = kSize;
  batch.ids.erase(batch.ids.begin(), batch.ids.begin() + 3);
  batch.values.erase(batch.values.begin(), batch.values.begin() + 3);
  batch.fields.erase(batch.fields.begin(), batch.fields.begin() + 3);
  batch.row_offsets.clear();
  for (int64_t i = 0; i <= kSize; ++i) batch.row_offsets.push_back(2 * i);
  batch.labels.clear();
  for (int64_t i = 0; i < kSize; ++i) batch.labels.push_back(0.5f * static_cast<float>(i % 5) - 1);
  batch.examples.resize(kSize);
  return batch;
}

struct Case {
  std::string name;
  std::unique_ptr<Model> model;
  Batch batch;
  DifferenceOptions differences = {};
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const auto add = [&](const char* name, std::unique_ptr<Model> model,
                       DifferenceOptions differences = {}) {
    cases.push_back({name, std::move(model), IdBatch(kSize, kFields, 4), differences});
  };
  // ReLU has kinks: as conv_net_test.cc derives it, the smaller step makes the rounding 2e-7 / 2^-9
  // = 1e-4.
  const DifferenceOptions relu = {0x1p-10f, 1e-2, 0.15};
  add("sparse_logistic", Make([](v1::Model* m) { m->mutable_sparse_logistic(); }));
  // With and without a loop of constant length.
  for (const uint32_t factors : {1, 4, 8, 11, 16, 32}) {
    add("factorization_machine", Factorization(factors, v1::FactorizationMachine::LOGISTIC));
  }
  add("deep_fm", SmallDeepFm(), relu);
  add("deep_fm with dropout", SmallDeepFm(0.5), relu);
  add("wide_and_deep", SmallWideAndDeep(), relu);
  cases.push_back({"matrix_factorization",
                   Make([](v1::Model* m) { m->mutable_matrix_factorization()->set_factors(5); }),
                   Ratings()});
  return cases;
}

TEST(TableGradientsTest, OfVariablesAndRowsAreThoseOfTheLoss) {
  for (const Case& each : Cases()) {
    SCOPED_TRACE(each.name + " " + std::to_string(each.model->tables()[0].dim()) + " columns");
    ExpectTableModelGradients(*each.model, each.batch, each.differences);
  }
}

TEST(TableGradientsTest, OfWeightedExamplesAreThoseOfTheWeightedLoss) {
  for (Case& each : Cases()) {
    SCOPED_TRACE(each.name);
    EXPECT_TRUE(each.model->weighs_examples());
    for (int64_t i = 0; i < kSize; ++i)
      each.batch.weights.push_back(0.125f * static_cast<float>(i));
    ExpectTableModelGradients(*each.model, each.batch, each.differences);
  }
}

// Small factors, so that squares of scores stay of order 1 as DifferenceOptions assumes.
TEST(TableGradientsTest, OfTheSquaredErrorOfAFactorizationMachine) {
  Batch batch = IdBatch(kSize, 2, 4);
  for (float& value : batch.values) value *= 0.5f;
  ExpectTableModelGradients(*Factorization(2, v1::FactorizationMachine::SQUARED), batch);
}

TEST(TableGradientsTest, DoNotDependOnTheOrderOfTheRows) {
  for (const Case& each : Cases()) {
    SCOPED_TRACE(each.name);
    TableParameters ordered(*each.model, 1),
        reversed(*each.model, 1, TableParameters::Order::kReversed);
    double losses[2] = {};
    for (TableParameters* parameters : {&ordered, &reversed}) {
      parameters->Prepare(each.batch);
      parameters->Randomize(0.5f);
      const auto output = each.model->Train(each.batch, *parameters, *parameters);
      ASSERT_TRUE(output.ok()) << output.status();
      losses[parameters == &reversed] = output->loss;
    }
    EXPECT_EQ(losses[0], losses[1]);
    EXPECT_EQ(ordered.variables().AllGradients(), reversed.variables().AllGradients());
    for (int t = 0; t < static_cast<int>(each.model->tables().size()); ++t) {
      ASSERT_GT(ordered.ids(t).size(), 4u);
      for (const uint64_t id : ordered.ids(t)) {
        const auto one = ordered.gradient(t, id), other = reversed.gradient(t, id);
        EXPECT_TRUE(std::ranges::equal(one, other)) << "id " << id;
      }
    }
  }
}

}  // namespace
}  // namespace convoy
