// `convoy evaluate` and `convoy predict`: a trained model on other data, in one process.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/files/atomic_file.h"
#include "common/job/job_file.h"
#include "common/job/model_task.h"
#include "common/metrics/metrics.h"
#include "common/status.h"
#include "launcher/commands/checkpoint/argument.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/custom_model_program.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/stored_weights.h"
#include "worker/data/csv/class_names.h"
#include "worker/data/csv/csv_field.h"
#include "worker/data/csv/schema_json.h"
#include "worker/data/dataset.h"
#include "worker/data/negative_sampling.h"
#include "worker/evaluation.h"
#include "worker/layers/eigen.h"
#include "worker/setup.h"
#include "worker/want_rows.h"

namespace convoy {
namespace {

struct PredictOptions {
  std::string command;  // evaluate or predict
  std::string run_dir;  // of a finished training
  std::string data;     // file of the format of the training data
  std::string split;    // train, validation or test: only these rows of `data`; empty: all
  std::string out;      // empty: standard output
};

struct Trained {
  std::shared_ptr<const v1::Schema> schema;  // null: the data are not CSV or TSV
  std::unique_ptr<Dataset> data;
  std::unique_ptr<Model> model;
  std::unique_ptr<StoredWeights> weights;
  double negative_rate = 1;  // data.negative_rate of the training
};

// What RUN_DIR, RUN_DIR@STEP and RUN_DIR@best mean.
struct TrainedPlace {
  std::string run;
  std::optional<StoredCheckpoint> stored;        // none: model.safetensors
  std::string job_path, job_text;                // of a `stored` one: once it was opened
  std::unique_ptr<CheckpointReader> checkpoint;  // of `stored`
};

// Everything but what is in the checkpoint. DataLoss: what is there is damaged; other errors: it is
// not there.
absl::StatusOr<TrainedPlace> FindTrained(const std::string& argument) {
  TrainedPlace place;
  place.run = argument;
  std::error_code ignored;
  if (!std::filesystem::exists(argument, ignored) && argument.find('@') != std::string::npos) {
    CONVOY_ASSIGN_OR_RETURN(const CheckpointArgument found, ParseCheckpointArgument(argument));
    place.run = std::filesystem::path(found.checkpoints).parent_path().string();
    place.stored = found.one;
    return place;
  }
  place.job_path = place.run + "/job.textproto";
  std::ifstream file(place.job_path);
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat(argument, " is no run directory: cannot read ", place.job_path));
  }
  std::stringstream text;
  text << file.rdbuf();
  place.job_text = text.str();
  return place;
}

// Of a job that has not ended, the checkpoint knows the schema.
absl::StatusOr<std::shared_ptr<const v1::Schema>> SchemaOf(const TrainedPlace& place) {
  if (place.checkpoint == nullptr) return ReadRunSchema(place.run);
  const std::string& json = place.checkpoint->manifest().schema;
  if (json.empty()) return nullptr;
  CONVOY_ASSIGN_OR_RETURN(v1::Schema schema, ParseSchema(json, place.checkpoint->path()));
  return std::make_shared<const v1::Schema>(std::move(schema));
}

// The run's job may have changed since (--allow-changes).
absl::Status OpenStored(TrainedPlace* place) {
  CONVOY_RETURN_IF_ERROR(VerifyCheckpoint(place->stored->path));
  CONVOY_ASSIGN_OR_RETURN(place->checkpoint, CheckpointReader::Open(place->stored->path));
  place->job_path = absl::StrCat("the job of ", place->stored->path);
  place->job_text = place->checkpoint->manifest().job;
  return absl::OkStatus();
}

absl::StatusOr<Trained> Load(const PredictOptions& options, TrainedPlace place,
                             std::span<const ModelRegistration> models, bool labels) {
  if (place.stored) CONVOY_RETURN_IF_ERROR(OpenStored(&place));
  CONVOY_ASSIGN_OR_RETURN(const v1::Job job, ParseJob(place.job_text, place.job_path, {}));
  CONVOY_RETURN_IF_ERROR(CheckModelIsHere(
      job.model(), models, place.run,
      absl::StrCat(options.command, " ", options.run_dir, " --data ", options.data)));
  Trained trained;
  CONVOY_ASSIGN_OR_RETURN(trained.schema, SchemaOf(place));
  trained.negative_rate = job.data().negative_rate();
  const FileUse use{trained.schema, labels};
  CONVOY_ASSIGN_OR_RETURN(trained.data, options.split.empty()
                                            ? OpenFile(job.data(), options.data, nullptr, use)
                                            : OpenPart(job.data(), job.seed(), options.data,
                                                       options.split, nullptr, use));
  if (const std::string skipped = trained.data->skipped().Describe(options.data); !skipped.empty())
    std::fprintf(stderr, "%s\n", skipped.c_str());
  ModelInput input;
  input.features = trained.data->features();
  input.shape = trained.data->example_shape();
  input.sparse = trained.data->sparse();
  input.fields = trained.data->fields();
  input.classes = LearnsNumber(job.model()) ? 0 : job.model().classes();
  input.seed = job.seed();
  CONVOY_ASSIGN_OR_RETURN(trained.model, MakeModel(job.model(), input, models));
  CONVOY_RETURN_IF_ERROR(CheckIdsHaveTables(*trained.data, *trained.model));
  CONVOY_ASSIGN_OR_RETURN(
      trained.weights,
      place.checkpoint != nullptr
          ? StoredWeights::Read(*place.checkpoint, *trained.model, job.seed())
          : StoredWeights::Read(place.run + "/model.safetensors", *trained.model, job.seed()));
  return trained;
}

absl::Status Write(const std::string& out, const std::string& text) {
  if (!out.empty()) return WriteFileAtomically(out, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return absl::InternalError("cannot write to standard output");
  }
  return absl::OkStatus();
}

// Adds the names of the classes to the metrics of each.
std::string NamedClasses(const std::string& metrics, const v1::Schema* schema) {
  if (schema == nullptr || schema->label().class_name().empty()) return metrics;
  auto json = nlohmann::ordered_json::parse(metrics);
  const std::vector<std::string> names =
      ClassNames(schema, static_cast<int64_t>(json["classes"].size()));
  for (size_t c = 0; c < json["classes"].size(); ++c) json["classes"][c]["name"] = names[c];
  return json.dump();
}

absl::StatusOr<std::string> MeasuredMetrics(Trained& trained) {
  if (!trained.data->has_labels()) {
    return absl::InvalidArgumentError(
        "the examples have no labels to compare with; use `convoy predict`");
  }
  CONVOY_ASSIGN_OR_RETURN(
      const v1::MetricSums sums,
      Evaluate(
          *trained.data, {0, static_cast<uint64_t>(trained.data->size())}, *trained.model,
          *trained.weights, [] { return absl::OkStatus(); }, trained.negative_rate));
  return NamedClasses(MetricsJson(sums, /*per_class=*/true), trained.schema.get()) + "\n";
}

// `classes`: their names; none for a regression.
void AppendRow(int64_t example, std::span<const float> prediction,
               const std::vector<std::string>& classes, std::string* csv) {
  if (classes.empty()) {
    absl::StrAppendFormat(csv, "%d,%.9g\n", example, prediction[0]);
  } else if (prediction.size() == 1) {
    absl::StrAppendFormat(csv, "%d,%s,%.9g,%.9g\n", example,
                          CsvField(classes[prediction[0] >= 0.5f]), 1 - prediction[0],
                          prediction[0]);
  } else {
    const auto best = std::max_element(prediction.begin(), prediction.end()) - prediction.begin();
    absl::StrAppendFormat(csv, "%d,%s", example, CsvField(classes[static_cast<size_t>(best)]));
    for (float p : prediction) absl::StrAppendFormat(csv, ",%.9g", p);
    csv->push_back('\n');
  }
}

absl::StatusOr<std::string> PredictedCsv(Trained& trained) {
  constexpr int64_t kBatch = 256;
  const bool regression = trained.model->task() == Model::Task::kRegression;
  std::string csv = "example,prediction";
  const int64_t classes = regression ? 0 : std::max<int64_t>(2, trained.model->outputs());
  const std::vector<std::string> names = ClassNames(trained.schema.get(), classes);
  for (int64_t c = 0; c < classes; ++c) {
    absl::StrAppend(&csv, ",", CsvField("probability_" + names[static_cast<size_t>(c)]));
  }
  csv.push_back('\n');
  Batch batch;
  std::vector<uint64_t> ids;
  const auto outputs = static_cast<size_t>(trained.model->outputs());
  for (int64_t begin = 0; begin < trained.data->size(); begin += kBatch) {
    std::vector<uint32_t> indices(
        static_cast<size_t>(std::min(kBatch, trained.data->size() - begin)));
    std::iota(indices.begin(), indices.end(), static_cast<uint32_t>(begin));
    trained.data->Read(indices, &batch);
    batch.labels.clear();
    CONVOY_RETURN_IF_ERROR(WantRowsOf(*trained.model, batch, *trained.weights, &ids));
    trained.weights->UseWantedRows();
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output,
                            trained.model->Evaluate(batch, *trained.weights));
    std::vector<float> predictions(output.predictions.begin(), output.predictions.end());
    if (trained.negative_rate < 1) {
      for (float& p : predictions) p = CorrectForSampling(p, trained.negative_rate);
    }
    for (size_t i = 0; i < indices.size(); ++i) {
      AppendRow(begin + static_cast<int64_t>(i),
                std::span(predictions).subspan(i * outputs, outputs), names, &csv);
    }
  }
  return csv;
}

int Run(const PredictOptions& options, std::span<const ModelRegistration> models,
        absl::StatusOr<std::string> (*make)(Trained&), bool labels) {
  ConfigureEigen();
  absl::StatusOr<TrainedPlace> place = FindTrained(options.run_dir);
  if (!place.ok())
    return Fail(place.status(), absl::IsDataLoss(place.status()) ? kExitFailed : kExitBadUsage);
  absl::StatusOr<Trained> trained = Load(options, *std::move(place), models, labels);
  if (!trained.ok()) return Fail(trained.status());
  const absl::StatusOr<std::string> text = make(*trained);
  if (!text.ok()) return Fail(text.status());
  return Fail(Write(options.out, *text));
}

void AddCommand(CommandSet& commands, const char* name, const char* help,
                absl::StatusOr<std::string> (*make)(Trained&), bool labels) {
  auto options = std::make_shared<PredictOptions>();
  options->command = name;
  CLI::App* command = commands.Add<PredictOptions>(
      name, help, options, [models = commands.models, make, labels](const PredictOptions& chosen) {
        return Run(chosen, models, make, labels);
      });
  command
      ->add_option(
          "RUN_DIR", options->run_dir,
          "Run directory of a training; RUN_DIR@STEP, RUN_DIR@best: the weights of a checkpoint")
      ->required();
  command->add_option("--data", options->data, "Examples, in the format of the training data")
      ->type_name("PATH")
      ->required();
  if (name == std::string_view("evaluate")) {
    command
        ->add_option("--split", options->split,
                     "Only the rows of PATH that the training's seed gave to this part: train, "
                     "validation or test")
        ->type_name("PART")
        ->check(CLI::IsMember({"train", "validation", "test"}));
  }
  command->add_option("--out", options->out, "File for the result; default: standard output")
      ->type_name("FILE");
}

}  // namespace

void AddEvaluateAndPredictCommands(CommandSet& commands) {
  AddCommand(commands, "evaluate", "Measure a trained model on other data (JSON)", &MeasuredMetrics,
             true);
  AddCommand(commands, "predict", "Predict with a trained model (CSV with probabilities)",
             &PredictedCsv, false);
}

}  // namespace convoy
