#include "worker/models/gradient_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/worker/models/memory_parameters.h"
#include "tests/worker/models/tables/table_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::IdBatch;
using ::convoy::testing::SparseBatch;
using ::testing::HasSubstr;

ModelInput Images() {
  ModelInput input;
  input.features = 64;
  input.shape = {8, 8, 1};
  input.classes = 3;
  return input;
}

std::unique_ptr<Model> BuiltIn(const std::function<void(v1::Model*)>& choose,
                               const ModelInput& input) {
  v1::Model config;
  choose(&config);
  auto model = MakeModel(config, input, {});
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

absl::Status Verdict(Model& model, const Batch& batch, uint64_t seed = 1) {
  const auto variables = CompareGradients(model, batch, seed);
  if (!variables.ok()) return variables.status();
  for (const VariableGradients& variable : *variables) {
    EXPECT_GT(variable.checked, 2 * variable.undecided) << variable.name;
  }
  return GradientsVerdict(*variables);
}

// Another model, whose gradient is changed on its way out: that of variable v, or with v = -1 of
// the rows of table 0.
class TamperedModel : public Model {
 public:
  using Tamper = std::function<void(int variable, std::span<float> gradient)>;
  TamperedModel(std::unique_ptr<Model> model, Tamper tamper)
      : model_(std::move(model)), tamper_(std::move(tamper)) {}
  Task task() const override { return model_->task(); }
  int64_t outputs() const override { return model_->outputs(); }
  const std::vector<VariableSpec>& variables() const override { return model_->variables(); }
  const std::vector<TableSpec>& tables() const override { return model_->tables(); }
  void AppendIds(const Batch& batch, int table, std::vector<uint64_t>* ids) const override {
    model_->AppendIds(batch, table, ids);
  }
  absl::Status CheckLabel(float label, float* mapped) const override {
    return model_->CheckLabel(label, mapped);
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    const auto output = model_->Train(batch, weights, gradients);
    for (int v = 0; v < static_cast<int>(variables().size()); ++v) {
      tamper_(v, gradients.Gradient(v));
    }
    if (!tables().empty()) tamper_(-1, gradients.RowGradients(0));
    return output;
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override {
    return model_->Evaluate(batch, weights);
  }

 private:
  const std::unique_ptr<Model> model_;
  const Tamper tamper_;
};

std::unique_ptr<Model> SmallMlp() {
  return BuiltIn([](v1::Model* m) { m->mutable_mlp()->add_hidden(8); }, Images());
}

std::string ErrorWith(TamperedModel::Tamper tamper) {
  TamperedModel model(SmallMlp(), std::move(tamper));
  const absl::Status status = Verdict(model, DenseBatch(16, 64, 3));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  return std::string(status.message());
}

// Of 5 seeds, so that it is no luck.
TEST(GradientCheckTest, BuiltInModelsAgreeWithTheirLosses) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    ModelInput sparse = Images();
    sparse.sparse = true;
    const auto logistic = BuiltIn([](v1::Model* m) { m->mutable_logistic_regression(); }, sparse);
    EXPECT_EQ(Verdict(*logistic, SparseBatch(16, 64, 2, seed), seed), absl::OkStatus());
    const auto linear = BuiltIn([](v1::Model* m) { m->mutable_linear_regression(); }, Images());
    EXPECT_EQ(Verdict(*linear, DenseBatch(16, 64, 0, seed), seed), absl::OkStatus());
    const auto mlp = BuiltIn(
        [](v1::Model* m) {
          m->mutable_mlp()->add_hidden(16);
          m->mutable_mlp()->set_activation(v1::GELU);
          m->mutable_mlp()->set_dropout(0.5);
        },
        Images());
    EXPECT_EQ(Verdict(*mlp, DenseBatch(16, 64, 3, seed), seed), absl::OkStatus());
    const auto conv = BuiltIn([](v1::Model* m) { m->mutable_conv_net(); }, Images());
    EXPECT_EQ(Verdict(*conv, DenseBatch(16, 64, 3, seed), seed), absl::OkStatus());
  }
}

TEST(GradientCheckTest, AWrongFactorIsFoundAndTheVariableNamed) {
  const std::string error = ErrorWith([](int v, std::span<float> gradient) {
    if (v == 2)
      for (float& value : gradient) value *= 1.1f;
  });
  EXPECT_THAT(error,
              HasSubstr("gradients are not those of the loss:\n  head/weight [8, 3], element ["));
  EXPECT_THAT(error, ::testing::Not(HasSubstr("layer1")));
  EXPECT_THAT(error, ::testing::Not(HasSubstr("head/bias")));
}

TEST(GradientCheckTest, AGradientThatIsMissingIsFound) {
  const std::string error = ErrorWith([](int v, std::span<float> gradient) {
    if (v == 1) std::ranges::fill(gradient, 0.0f);
  });
  EXPECT_THAT(error, HasSubstr("layer1/bias [8], element ["));
  EXPECT_THAT(error, HasSubstr("got 0, expected "));
}

TEST(GradientCheckTest, OneElementThatIsTooLargeIsNamedByRowAndColumn) {
  // Element 13 of [8, 3] is row 4, column 1.
  EXPECT_THAT(ErrorWith([](int v, std::span<float> gradient) {
                if (v == 2) gradient[13] += 100;
              }),
              HasSubstr("head/weight [8, 3], element [4, 1]: got "));
}

TEST(GradientCheckTest, AGradientThatIsNotANumberIsWrong) {
  EXPECT_THAT(ErrorWith([](int v, std::span<float> gradient) {
                if (v == 0) gradient[7] = std::numeric_limits<float>::quiet_NaN();
              }),
              HasSubstr("layer1/weight [64, 8], element [0, 7]: got nan, expected "));
}

ModelInput Ids() {
  ModelInput input;
  input.sparse = true;
  input.fields = 3;
  return input;
}

std::unique_ptr<Model> SmallFactorization() {
  return BuiltIn([](v1::Model* m) { m->mutable_factorization_machine()->set_factors(4); }, Ids());
}

TEST(GradientCheckTest, RowsOfModelsWithTablesAgreeWithTheirLosses) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Batch batch = IdBatch(16, 3, 4, seed);
    for (const auto& choose : std::vector<std::function<void(v1::Model*)>>{
             [](v1::Model* m) { m->mutable_sparse_logistic(); },
             [](v1::Model* m) { m->mutable_factorization_machine(); },
             [](v1::Model* m) { m->mutable_deep_fm()->add_hidden(8); },
             [](v1::Model* m) { m->mutable_wide_and_deep()->add_hidden(8); }}) {
      const auto model = BuiltIn(choose, Ids());
      EXPECT_EQ(Verdict(*model, batch, seed), absl::OkStatus());
    }
  }
}

TEST(GradientCheckTest, EachRangeOfATableHasALine) {
  const auto model = SmallFactorization();
  const auto variables = CompareGradients(*model, IdBatch(16, 3, 4), 1);
  ASSERT_TRUE(variables.ok()) << variables.status();
  ASSERT_EQ(variables->size(), 3u);
  EXPECT_EQ((*variables)[0].name, "bias");
  EXPECT_EQ((*variables)[1].name, "rows/weight");
  EXPECT_EQ((*variables)[2].name, "rows/factors");
  const size_t ids = (*variables)[2].ids.size();
  EXPECT_GE((*variables)[2].checked, 6);
  EXPECT_THAT(GradientsTable(*variables),
              HasSubstr("  rows/factors [" + std::to_string(ids) + ", 4]: "));
}

TEST(GradientCheckTest, AWrongElementOfARowIsNamedByRangeIdAndColumn) {
  // Row 2 of columns weight, factors 0 to 3: element 2 * 5 + 1 + 3 is column 3 of the factors.
  TamperedModel model(SmallFactorization(), [](int v, std::span<float> gradient) {
    if (v == -1) gradient[2 * 5 + 1 + 3] += 100;
  });
  const Batch batch = IdBatch(16, 3, 4);
  testing::TableParameters parameters(model, 1);
  parameters.Prepare(batch);
  const absl::Status status = Verdict(model, batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  const std::string id = std::to_string(parameters.ids(0)[2]);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(":\n  rows/factors, id " + id + ", column 3: got "));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("rows/weight")));
}

TEST(GradientCheckTest, ABatchWithoutIdsHasNothingToCheckInItsTables) {
  Batch batch = IdBatch(2, 1, 1);
  batch.ids.clear();
  batch.fields.clear();
  batch.values.clear();
  batch.row_offsets = {0, 0, 0};
  const auto variables = CompareGradients(*SmallFactorization(), batch, 1);
  ASSERT_TRUE(variables.ok()) << variables.status();
  EXPECT_EQ((*variables)[2].checked, 0);
  EXPECT_EQ(GradientsVerdict(*variables), absl::OkStatus());
}

}  // namespace
}  // namespace convoy
