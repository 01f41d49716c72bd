#include "worker/models/checked_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>

#include "tests/worker/models/memory_parameters.h"
#include "tests/worker/models/tables/table_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::MemoryParameters;
using ::testing::HasSubstr;

// A model that does as it is told.
struct Behaviour {
  int64_t outputs = 1;
  std::vector<VariableSpec> variables = {{"head/weight", {4, 1}, Initializer::Zeros()},
                                         {"head/bias", {1}, Initializer::Zeros()}};
  std::vector<TableSpec> tables;
  std::function<void(std::vector<uint64_t>*)> ids = [](std::vector<uint64_t>* out) {
    out->insert(out->end(), {7, 8, 7});
  };
  std::vector<std::string> metrics = {"own"};
  std::function<void(const Batch&, WeightSource&, GradientSink&)> train =
      [](const Batch&, WeightSource&, GradientSink& gradients) { ReportAll(gradients); };
  std::function<void(BatchOutput*)> change = [](BatchOutput*) {};

  static void ReportAll(GradientSink& gradients) {
    EXPECT_EQ(gradients.Gradient(0).size(), 4u);
    EXPECT_TRUE(gradients.Ready(0, 0, 2).ok());
    EXPECT_TRUE(gradients.Ready(0, 2, 4).ok());
    EXPECT_TRUE(gradients.Ready(1, 0, 1).ok());
  }
};

class ObedientModel : public Model {
 public:
  explicit ObedientModel(Behaviour behaviour) : behaviour_(std::move(behaviour)) {}
  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return behaviour_.outputs; }
  const std::vector<VariableSpec>& variables() const override { return behaviour_.variables; }
  const std::vector<TableSpec>& tables() const override { return behaviour_.tables; }
  void AppendIds(const Batch&, int, std::vector<uint64_t>* ids) const override {
    behaviour_.ids(ids);
  }
  std::span<const std::string> metrics() const override { return behaviour_.metrics; }
  absl::Status CheckLabel(float label, float* mapped) const override {
    if (label < 0) throw std::domain_error("a negative count");
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    behaviour_.train(batch, weights, gradients);
    return Output(batch);
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource&) override {
    return Output(batch);
  }

 private:
  BatchOutput Output(const Batch& batch) {
    predictions_.resize(static_cast<size_t>(batch.size));
    BatchOutput output{1, predictions_, sums_};
    behaviour_.change(&output);
    return output;
  }

  Behaviour behaviour_;
  std::vector<float> predictions_;
  std::vector<double> sums_ = {2};
};

absl::StatusOr<std::unique_ptr<Model>> Make(Behaviour behaviour, bool allow_nan_loss = false) {
  ModelInput input;
  input.features = 4;
  input.allow_nan_loss = allow_nan_loss;
  const ModelRegistration registration = {"mine", [behaviour](const v1::Model&, const ModelInput&) {
                                            return std::make_unique<ObedientModel>(behaviour);
                                          }};
  return MakeCheckedModel(registration, {}, input);
}

std::string TrainError(Behaviour behaviour) {
  const auto model = Make(std::move(behaviour));
  EXPECT_TRUE(model.ok()) << model.status();
  MemoryParameters parameters((*model)->variables());
  const auto output = (*model)->Train(DenseBatch(5, 4, 0), parameters, parameters);
  EXPECT_EQ(output.status().code(), absl::StatusCode::kInternal) << output.status();
  return std::string(output.status().message());
}

std::string MakeError(Behaviour behaviour) {
  const auto model = Make(std::move(behaviour));
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInternal) << model.status();
  return std::string(model.status().message());
}

TEST(CheckedModelTest, AModelThatKeepsTheContractIsLeftAlone) {
  const auto model = Make({});
  ASSERT_TRUE(model.ok()) << model.status();
  MemoryParameters parameters((*model)->variables());
  const auto output = (*model)->Train(DenseBatch(5, 4, 0), parameters, parameters);
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->predictions.size(), 5u);
  EXPECT_EQ(output->metrics[0], 2);
  EXPECT_EQ((*model)->metrics()[0], "own");
  EXPECT_EQ(parameters.events().size(), 3u);
}

TEST(CheckedModelTest, WhatItThrowsNamesModelBatchAndException) {
  Behaviour throws;
  throws.train = [](const Batch&, WeightSource&, GradientSink&) {
    throw std::out_of_range("row 7");
  };
  EXPECT_EQ(TrainError(throws),
            "model \"mine\", epoch 0, batch of 5 examples (numbers 100, 101, 102, ...): it threw "
            "std::out_of_range: row 7");
  throws.train = [](const Batch&, WeightSource&, GradientSink&) { throw 42; };
  EXPECT_THAT(TrainError(throws), HasSubstr("(numbers 100, 101, 102, ...): it threw int"));
}

TEST(CheckedModelTest, AFactoryOrLabelCheckThatThrowsIsAnError) {
  const ModelRegistration registration = {
      "mine", [](const v1::Model&, const ModelInput&) -> absl::StatusOr<std::unique_ptr<Model>> {
        throw std::runtime_error("no table");
      }};
  EXPECT_EQ(MakeCheckedModel(registration, {}, {}).status().message(),
            "model \"mine\": it threw std::runtime_error: no table");
  float mapped = 0;
  EXPECT_EQ((*Make({}))->CheckLabel(-1, &mapped).message(),
            "model \"mine\", label -1: it threw std::domain_error: a negative count");
}

TEST(CheckedModelTest, PredictionsOfAnotherSizeAreRefusedInTrainingAndEvaluation) {
  Behaviour wrong;
  wrong.change = [](BatchOutput* output) { output->predictions = output->predictions.first(3); };
  EXPECT_THAT(TrainError(wrong),
              HasSubstr("it returned 3 values as predictions, want 5 (5 examples x 1)"));
  const auto model = Make(wrong);
  MemoryParameters parameters((*model)->variables());
  const auto output = (*model)->Evaluate(DenseBatch(5, 4, 0), parameters);
  EXPECT_THAT(std::string(output.status().message()), HasSubstr("model \"mine\", epoch 0, batch"));
}

TEST(CheckedModelTest, MetricsOfAnotherNumberAreRefused) {
  Behaviour wrong;
  wrong.change = [](BatchOutput* output) { output->metrics = {}; };
  EXPECT_THAT(TrainError(wrong), HasSubstr("it returned 0 sums of metrics, want 1"));
}

TEST(CheckedModelTest, ALossThatIsNotANumberIsAnErrorUnlessSuchBatchesAreSkipped) {
  Behaviour nan;
  nan.change = [](BatchOutput* o) { o->loss = std::numeric_limits<double>::quiet_NaN(); };
  EXPECT_THAT(TrainError(nan), HasSubstr("its loss is not a number"));
  const auto model = Make(nan, /*allow_nan_loss=*/true);
  MemoryParameters parameters((*model)->variables());
  EXPECT_TRUE((*model)->Train(DenseBatch(5, 4, 0), parameters, parameters).ok());
}

TEST(CheckedModelTest, GradientsThatAreNotReportedToTheirEndAreNamed) {
  Behaviour lazy;
  lazy.train = [](const Batch&, WeightSource&, GradientSink& gradients) {
    gradients.Ready(0, 0, 4).IgnoreError();
  };
  EXPECT_THAT(TrainError(lazy),
              HasSubstr("it reported 0 of the 1 elements of the gradient of \"head/bias\""));
}

TEST(CheckedModelTest, PiecesOutOfOrderTwiceOrBeyondTheEndAreNamedAndGoNoFurther) {
  for (const auto& [begin, end] : {std::pair{2, 4}, {0, 5}, {0, 0}, {-1, 2}}) {
    Behaviour wrong;
    wrong.train = [begin = begin, end = end](const Batch&, WeightSource&, GradientSink& gradients) {
      EXPECT_FALSE(gradients.Ready(0, begin, end).ok());
    };
    EXPECT_THAT(TrainError(wrong),
                HasSubstr("of the gradient of \"head/weight\", want 0 to at most 4"));
  }
  Behaviour twice;
  twice.train = [](const Batch&, WeightSource&, GradientSink& gradients) {
    Behaviour::ReportAll(gradients);
    gradients.Ready(1, 0, 1).IgnoreError();
  };
  EXPECT_THAT(TrainError(twice), HasSubstr("elements [0, 1) of the gradient of \"head/bias\""));
}

TEST(CheckedModelTest, VariablesThatThereAreNotAreNamed) {
  Behaviour wrong;
  wrong.train = [](const Batch&, WeightSource& weights, GradientSink& gradients) {
    EXPECT_FALSE(weights.Weights(2).ok());
    Behaviour::ReportAll(gradients);
  };
  EXPECT_THAT(TrainError(wrong), HasSubstr("it asked for variable 2, want 0 to 1"));
  wrong.train = [](const Batch&, WeightSource&, GradientSink& gradients) {
    EXPECT_TRUE(gradients.Gradient(-1).empty());
  };
  EXPECT_THAT(TrainError(wrong), HasSubstr("it asked for variable -1"));
}

TEST(CheckedModelTest, ErrorsOfTheWeightsPassAsTheyAre) {
  Behaviour reads;
  reads.train = [](const Batch&, WeightSource& weights, GradientSink&) {
    if (!weights.Weights(1).ok()) throw std::runtime_error("no weights");
  };
  const auto model = Make(reads);
  MemoryParameters parameters((*model)->variables());
  parameters.FailWeights(1, absl::UnavailableError("server 0 is gone"));
  EXPECT_EQ((*model)->Train(DenseBatch(5, 4, 0), parameters, parameters).status(),
            absl::UnavailableError("server 0 is gone"));
}

TEST(CheckedModelTest, ADescriptionThatCannotBeIsRefused) {
  Behaviour wrong;
  wrong.variables = {};
  EXPECT_THAT(MakeError(wrong), HasSubstr("model \"mine\": it has no variables"));
  wrong.variables = {{"a", {2}, {}}, {"a", {3}, {}}};
  EXPECT_THAT(MakeError(wrong), HasSubstr("two variables are called \"a\""));
  wrong.variables = {{"a", {2, 0}, {}}};
  EXPECT_THAT(MakeError(wrong), HasSubstr("variable \"a\" has 0 elements"));
  wrong = {};
  wrong.outputs = 3;
  EXPECT_THAT(MakeError(wrong), HasSubstr("outputs() is 3, want 1 for its task"));
  wrong = {};
  wrong.metrics = {"m", "m"};
  EXPECT_THAT(MakeError(wrong), HasSubstr("two metrics are called \"m\""));
}

// With tables "one" and "two" of 2 and 1 columns.
Behaviour WithTables() {
  Behaviour behaviour;
  behaviour.tables = {{"one", {{"a", 1, {}}, {"b", 1, {}}}}, {"two", {{"a", 1, {}}}}};
  behaviour.train = [](const Batch&, WeightSource& weights, GradientSink& gradients) {
    Behaviour::ReportAll(gradients);
    EXPECT_EQ(weights.Rows(0)->places.size(), 3u);
    EXPECT_EQ(gradients.RowGradients(0).size(), 4u);  // 2 rows x 2 columns
    EXPECT_TRUE(gradients.RowsReady(1).ok());
    EXPECT_TRUE(gradients.RowsReady(0).ok());
  };
  return behaviour;
}

absl::Status TrainWithTables(const Behaviour& behaviour) {
  const auto model = Make(behaviour);
  EXPECT_TRUE(model.ok()) << model.status();
  const Batch batch = DenseBatch(5, 4, 0);
  testing::TableParameters parameters(**model, 1);
  parameters.Prepare(batch);
  const absl::Status status = (*model)->Train(batch, parameters, parameters).status();
  if (status.ok()) {
    EXPECT_EQ(parameters.reports(0) + parameters.reports(1), 2);
  }
  return status;
}

std::string TablesError(const Behaviour& behaviour) {
  const absl::Status status = TrainWithTables(behaviour);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("model \"mine\", epoch 0, batch of 5 examples"));
  return std::string(status.message());
}

TEST(CheckedModelTest, TablesOfAModelThatKeepsTheContractAreLeftAlone) {
  const auto model = Make(WithTables());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->tables()[1].name, "two");
  EXPECT_EQ(TrainWithTables(WithTables()), absl::OkStatus());
}

TEST(CheckedModelTest, RowsThatAreNotReportedAreNamed) {
  Behaviour lazy = WithTables();
  lazy.train = [](const Batch&, WeightSource&, GradientSink& gradients) {
    Behaviour::ReportAll(gradients);
    EXPECT_TRUE(gradients.RowsReady(0).ok());
  };
  EXPECT_THAT(
      TablesError(lazy),
      HasSubstr("it did not report the gradients of the rows of table \"two\": it must call "
                "gradients.RowsReady(1) once for each batch, also if it has no ids"));
}

TEST(CheckedModelTest, RowsThatAreReportedTwiceAreNamedAndGoNoFurther) {
  Behaviour twice = WithTables();
  twice.train = [before = twice.train](const Batch& batch, WeightSource& weights,
                                       GradientSink& gradients) {
    before(batch, weights, gradients);
    EXPECT_FALSE(gradients.RowsReady(0).ok());
  };
  EXPECT_THAT(TablesError(twice),
              HasSubstr("it reported the gradients of the rows of table \"one\" twice"));
}

TEST(CheckedModelTest, TablesThatThereAreNotAreNamed) {
  Behaviour wrong = WithTables();
  wrong.train = [](const Batch&, WeightSource& weights, GradientSink&) {
    EXPECT_FALSE(weights.Rows(2).ok());
  };
  EXPECT_THAT(TablesError(wrong), HasSubstr("it asked for table 2, want 0 to 1"));
  wrong.train = [](const Batch&, WeightSource&, GradientSink& gradients) {
    EXPECT_TRUE(gradients.RowGradients(-1).empty());
  };
  EXPECT_THAT(TablesError(wrong), HasSubstr("it asked for table -1, want 0 to 1"));
  wrong.train = [](const Batch&, WeightSource&, GradientSink& gradients) {
    EXPECT_FALSE(gradients.RowsReady(0).ok());
  };
  wrong.tables = {};
  EXPECT_THAT(TablesError(wrong), HasSubstr("it asked for table 0, but its tables() are none"));
}

TEST(CheckedModelTest, IdsThatChangeFromCallToCallAreFound) {
  Behaviour fickle = WithTables();
  fickle.ids = [calls = std::make_shared<int>(0)](std::vector<uint64_t>* ids) {
    ids->assign(static_cast<size_t>(++*calls), 7);
  };
  fickle.train = [](const Batch&, WeightSource& weights, GradientSink&) {
    EXPECT_FALSE(weights.Rows(0).ok());
  };
  EXPECT_THAT(TablesError(fickle), HasSubstr("the rows of table \"one\" are those of 1 ids, but "
                                             "AppendIds now names 3 of the same batch"));
}

TEST(CheckedModelTest, IdsOfOthersAreOutOfItsReach) {
  Behaviour clears = WithTables();
  clears.ids = [](std::vector<uint64_t>* out) { *out = {1, 2}; };
  std::vector<uint64_t> ids = {9};
  (*Make(clears))->AppendIds(DenseBatch(5, 4, 0), 0, &ids);
  EXPECT_THAT(ids, ::testing::ElementsAre(9, 1, 2));
}

TEST(CheckedModelTest, WhatItThrowsWhileItNamesIdsIsReturnedByTheNextCall) {
  Behaviour throws = WithTables();
  throws.ids = [](std::vector<uint64_t>*) { throw std::out_of_range("field 3"); };
  EXPECT_THAT(TablesError(throws), HasSubstr("it threw std::out_of_range: field 3"));
}

TEST(CheckedModelTest, TablesThatCannotBeAreRefused) {
  Behaviour wrong;
  const auto error = [&](TableSpec table) {
    wrong.tables = {{"first", {{"a", 1, {}}}}, std::move(table)};
    return MakeError(wrong);
  };
  EXPECT_THAT(error({"", {{"a", 1, {}}}}), HasSubstr("model \"mine\": a table has no name"));
  EXPECT_THAT(error({"first", {{"a", 1, {}}}}),
              HasSubstr("table \"first\" has the name of another table or of a variable"));
  EXPECT_THAT(error({"head/bias", {{"a", 1, {}}}}),
              HasSubstr("table \"head/bias\" has the name of"));
  EXPECT_THAT(error({"t", {}}), HasSubstr("table \"t\" has 0 columns, want 1 to 4096"));
  EXPECT_THAT(error({"t", {{"a", 4000, {}}, {"b", 97, {}}}}),
              HasSubstr("table \"t\" has 4097 columns"));
  EXPECT_THAT(error({"t", {{"", 1, {}}}}), HasSubstr("a range of table \"t\" has no name"));
  EXPECT_THAT(error({"t", {{"a", 0, {}}}}), HasSubstr("a range of table \"t\" has no columns"));
  EXPECT_THAT(error({"t", {{"a", 1, {}}, {"a", 1, {}}}}),
              HasSubstr("two ranges of table \"t\" are called \"a\""));
  wrong.tables = {{"t", {{"a", 4000, {}}, {"b", 96, {}}}}};
  EXPECT_TRUE(Make(wrong).ok());
}

}  // namespace
}  // namespace convoy
