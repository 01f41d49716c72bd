#include "worker/models/checked_model.h"

#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/metrics/metrics.h"
#include "common/status.h"
#include "worker/models/checked_parameters.h"
#include "worker/models/exceptions.h"

namespace convoy {
namespace {

constexpr double kMaxElements = 1LL << 40;
constexpr uint64_t kMaxColumns = 4096;

// What the model says of itself, asked once.
struct Description {
  Model::Task task = Model::Task::kRegression;
  int64_t outputs = 0;
  std::vector<VariableSpec> variables;
  std::vector<TableSpec> tables;
  std::vector<std::string> metrics;
};

absl::Status CheckOutputs(const Description& model) {
  const bool multiclass = model.task == Model::Task::kMulticlass;
  if (multiclass ? model.outputs >= 2 : model.outputs == 1) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("outputs() is ", model.outputs, ", want ",
                                          multiclass ? "at least 2 classes" : "1 for its task"));
}

absl::Status CheckVariables(const std::vector<VariableSpec>& variables) {
  if (variables.empty()) return absl::InternalError("it has no variables, want at least 1");
  std::set<std::string> names;
  for (const VariableSpec& spec : variables) {
    if (spec.name.empty()) return absl::InternalError("a variable has no name");
    if (!names.insert(spec.name).second) {
      return absl::InternalError(absl::StrCat("two variables are called \"", spec.name, "\""));
    }
    double elements = 1;
    for (const int64_t n : spec.shape) elements *= n >= 1 ? static_cast<double>(n) : 0.0;
    if (!(elements >= 1 && elements <= kMaxElements)) {
      return absl::InternalError(
          absl::StrCat("variable \"", spec.name, "\" has ", elements, " elements, want 1 to 2^40"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRanges(const TableSpec& table) {
  std::set<std::string> names;
  uint64_t columns = 0;
  for (const ColumnRange& range : table.ranges) {
    if (range.name.empty() || range.size == 0) {
      return absl::InternalError(absl::StrCat("a range of table \"", table.name, "\" has ",
                                              range.name.empty() ? "no name" : "no columns"));
    }
    if (!names.insert(range.name).second) {
      return absl::InternalError(
          absl::StrCat("two ranges of table \"", table.name, "\" are called \"", range.name, "\""));
    }
    columns += range.size;
  }
  if (columns >= 1 && columns <= kMaxColumns) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("table \"", table.name, "\" has ", columns,
                                          " columns, want 1 to ", kMaxColumns));
}

absl::Status CheckTables(const Description& model) {
  std::set<std::string> names;
  for (const VariableSpec& variable : model.variables) names.insert(variable.name);
  for (const TableSpec& table : model.tables) {
    if (table.name.empty()) return absl::InternalError("a table has no name");
    if (!names.insert(table.name).second) {
      return absl::InternalError(absl::StrCat("table \"", table.name,
                                              "\" has the name of another table or of a variable"));
    }
    CONVOY_RETURN_IF_ERROR(CheckRanges(table));
  }
  return absl::OkStatus();
}

absl::Status CheckMetrics(const std::vector<std::string>& metrics) {
  std::set<std::string> names;
  for (const std::string& name : metrics) {
    CONVOY_RETURN_IF_ERROR(CheckMetricName(name));
    if (!names.insert(name).second) {
      return absl::InternalError(absl::StrCat("two metrics are called \"", name, "\""));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Description> Describe(const Model& model) {
  const std::span<const std::string> metrics = model.metrics();
  Description description = {model.task(),
                             model.outputs(),
                             model.variables(),
                             model.tables(),
                             {metrics.begin(), metrics.end()}};
  CONVOY_RETURN_IF_ERROR(CheckOutputs(description));
  CONVOY_RETURN_IF_ERROR(CheckVariables(description.variables));
  CONVOY_RETURN_IF_ERROR(CheckTables(description));
  CONVOY_RETURN_IF_ERROR(CheckMetrics(description.metrics));
  return description;
}

std::string Describe(const Batch& batch) {
  std::string text = absl::StrCat("epoch ", batch.epoch, ", batch of ", batch.size, " examples");
  constexpr size_t kShown = 3;
  for (size_t i = 0; i < batch.examples.size() && i < kShown; ++i) {
    absl::StrAppend(&text, i == 0 ? " (numbers " : ", ", batch.examples[i]);
  }
  if (batch.examples.size() > kShown) text += ", ...";
  return batch.examples.empty() ? text : text + ")";
}

class CheckedModel final : public Model {
 public:
  CheckedModel(std::string name, std::unique_ptr<Model> model, Description description,
               bool allow_nan_loss)
      : name_(std::move(name)),
        model_(std::move(model)),
        description_(std::move(description)),
        allow_nan_loss_(allow_nan_loss) {}

  Task task() const override { return description_.task; }
  int64_t outputs() const override { return description_.outputs; }
  const std::vector<VariableSpec>& variables() const override { return description_.variables; }
  const std::vector<TableSpec>& tables() const override { return description_.tables; }
  std::span<const std::string> metrics() const override { return description_.metrics; }
  bool weighs_examples() const override { return model_->weighs_examples(); }
  int64_t activation_bytes() const override { return model_->activation_bytes(); }

  absl::Status CheckLabel(float label, float* mapped) const override {
    const absl::Status status =
        WithoutExceptions([&] { return model_->CheckLabel(label, mapped); });
    if (status.ok() || !absl::IsInternal(status)) return status;
    return Annotate(status, absl::StrCat(name_, ", label ", label));
  }

  // What the model throws is returned by the next Train or Evaluate.
  void AppendIds(const Batch& batch, int table, std::vector<uint64_t>* ids) const override {
    std::vector<uint64_t> named;  // its own, so that it can't change what was there
    ids_failure_.Update(Located(batch, WithoutExceptions([&] {
                                  model_->AppendIds(batch, table, &named);
                                  return absl::OkStatus();
                                })));
    ids->insert(ids->end(), named.begin(), named.end());
  }

  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    CONVOY_ASSIGN_OR_RETURN(const std::vector<size_t> places, CountPlaces(batch));
    CheckedWeights checked_weights(variables(), tables(), places, weights);
    CheckedGradients checked_gradients(variables(), tables(), gradients);
    absl::StatusOr<BatchOutput> output =
        Checked(batch, WithoutExceptions([&] {
                  return model_->Train(batch, checked_weights, checked_gradients);
                }));
    if (!checked_weights.failure().ok()) return checked_weights.failure();
    if (!checked_gradients.failure().ok()) return checked_gradients.failure();
    if (!output.ok()) return Located(batch, output.status());
    CONVOY_RETURN_IF_ERROR(Located(batch, checked_weights.mistake()));
    CONVOY_RETURN_IF_ERROR(Located(batch, checked_gradients.Complete()));
    return output;
  }

  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override {
    CONVOY_ASSIGN_OR_RETURN(const std::vector<size_t> places, CountPlaces(batch));
    CheckedWeights checked_weights(variables(), tables(), places, weights);
    absl::StatusOr<BatchOutput> output =
        Checked(batch, WithoutExceptions([&] { return model_->Evaluate(batch, checked_weights); }));
    if (!checked_weights.failure().ok()) return checked_weights.failure();
    if (!output.ok()) return Located(batch, output.status());
    CONVOY_RETURN_IF_ERROR(Located(batch, checked_weights.mistake()));
    return output;
  }

 private:
  // Ids that the model names of each table.
  absl::StatusOr<std::vector<size_t>> CountPlaces(const Batch& batch) const {
    std::vector<size_t> places;
    for (size_t t = 0; t < tables().size(); ++t) {
      std::vector<uint64_t> ids;
      AppendIds(batch, static_cast<int>(t), &ids);
      places.push_back(ids.size());
    }
    if (!ids_failure_.ok()) return ids_failure_;
    return places;
  }

  absl::Status Located(const Batch& batch, const absl::Status& status) const {
    if (status.ok()) return status;
    return Annotate(status, absl::StrCat(name_, ", ", Describe(batch)));
  }

  absl::StatusOr<BatchOutput> Checked(const Batch& batch,
                                      absl::StatusOr<BatchOutput> output) const {
    if (!output.ok()) return output;
    const int64_t values = static_cast<int64_t>(output->predictions.size());
    if (values != batch.size * outputs()) {
      return absl::InternalError(
          absl::StrCat("it returned ", values, " values as predictions, want ",
                       batch.size * outputs(), " (", batch.size, " examples x ", outputs(), ")"));
    }
    if (output->metrics.size() != metrics().size()) {
      return absl::InternalError(absl::StrCat("it returned ", output->metrics.size(),
                                              " sums of metrics, want ", metrics().size()));
    }
    if (std::isnan(output->loss) && !allow_nan_loss_) {
      return absl::InternalError(
          "its loss is not a number; a smaller learning rate may help, "
          "or training.nan_policy: SKIP leaves such batches out");
    }
    return output;
  }

  const std::string name_;  // model "mine"
  const std::unique_ptr<Model> model_;
  const Description description_;
  const bool allow_nan_loss_;
  mutable absl::Status ids_failure_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeCheckedModel(const ModelRegistration& registration,
                                                        const v1::Model& config,
                                                        const ModelInput& input) {
  const std::string name = absl::StrCat("model \"", registration.name, "\"");
  absl::StatusOr<std::unique_ptr<Model>> model =
      WithoutExceptions([&] { return registration.factory(config, input); });
  if (!model.ok()) return Annotate(model.status(), name);
  if (*model == nullptr) return absl::InternalError(name + ": its factory returned no model");
  absl::StatusOr<Description> description = WithoutExceptions([&] { return Describe(**model); });
  if (!description.ok()) return Annotate(description.status(), name);
  return std::unique_ptr<Model>(std::make_unique<CheckedModel>(
      name, *std::move(model), *std::move(description), input.allow_nan_loss));
}

}  // namespace convoy
