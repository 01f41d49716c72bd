#include "worker/setup.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/job/model_task.h"
#include "common/status.h"
#include "worker/data/csv/class_names.h"
#include "worker/data/csv/earlier_schema.h"
#include "worker/example_reader.h"
#include "worker/models/partly_frozen_model.h"

namespace convoy {
namespace {

// Bytes of one example in a batch. Sparse examples differ: the first ones stand for all.
uint64_t ExampleBytes(const Dataset& data) {
  if (!data.sparse()) return static_cast<uint64_t>(data.features()) * sizeof(float);
  std::vector<uint32_t> first(static_cast<size_t>(std::min<int64_t>(data.size(), 256)));
  std::iota(first.begin(), first.end(), 0u);
  Batch batch;
  data.Read(first, &batch);
  const size_t entry = data.has_ids() ? sizeof(uint64_t) + sizeof(uint32_t) : sizeof(uint32_t);
  const size_t bytes = batch.values.size() * (sizeof(float) + entry);
  return first.empty() ? 0 : bytes / first.size() + sizeof(int64_t);
}

absl::Status CheckAllLabels(const DataSets& data, const OldSets& old, const Model& model) {
  if (old.replayed != nullptr) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(*old.replayed, model), "data.old"));
  }
  if (old.validation != nullptr) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(*old.validation, model), "data.old.validation"));
  }
  CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(*data.train, model), "training data"));
  if (data.validation != nullptr) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckLabels(*data.validation, model), "validation data"));
  }
  if (data.test == nullptr) return absl::OkStatus();
  return Annotate(CheckLabels(*data.test, model), "test data");
}

// Lines that are left out of any file of the job.
void SaySkipped(const v1::Data& data, const DataSets& sets, const OldSets& old,
                const ActivityCallback& activity) {
  const auto say = [&activity](const std::string& file, const Dataset* part) {
    if (part == nullptr) return;
    if (const std::string line = part->skipped().Describe(file); !line.empty()) activity(line);
  };
  if (sets.schema != nullptr && sets.schema->bad_lines() > 0) {
    activity(absl::StrCat(data.train(), ": ", sets.schema->bad_lines(),
                          " bad lines are skipped, the first: ", sets.schema->first_bad_line()));
  } else {
    say(data.train(), sets.train.get());
  }
  if (data.validation().has_path()) say(data.validation().path(), sets.validation.get());
  if (data.test().has_path()) say(data.test().path(), sets.test.get());
  if (old.replayed != nullptr) {
    say(data.old().path(), old.replayed.get());
  } else if (data.old().validation().has_fraction()) {
    say(data.old().path(), old.validation.get());
  }
  if (data.old().validation().has_path()) say(data.old().validation().path(), old.validation.get());
}

void DescribeOld(const OldSets& old, v1::DataSummary* summary) {
  if (old.validation != nullptr) {
    summary->set_validation_old_examples(static_cast<uint64_t>(old.validation->size()));
  }
  if (old.replayed == nullptr) return;
  summary->set_old_examples(static_cast<uint64_t>(old.replayed->size()));
  // Of both: neither may be another one in another process or after a resume.
  summary->set_fingerprint(std::rotl(summary->fingerprint(), 1) ^ old.replayed->fingerprint());
}

bool SameParts(const Model& one, const Model& other) {
  const bool same_tables =
      std::ranges::equal(one.tables(), other.tables(), [](const TableSpec& a, const TableSpec& b) {
        return a.name == b.name && a.dim() == b.dim();
      });
  return same_tables && std::ranges::equal(one.variables(), other.variables(),
                                           [](const VariableSpec& a, const VariableSpec& b) {
                                             return a.name == b.name && a.shape == b.shape;
                                           });
}

absl::StatusOr<std::vector<std::unique_ptr<TimedModel>>> MakeModels(
    const v1::Job& job, const ModelInput& input, std::span<const ModelRegistration> registered) {
  std::vector<std::unique_ptr<TimedModel>> models;
  for (uint32_t thread = 0; thread < std::max(1u, job.cluster().threads_per_worker()); ++thread) {
    CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<Model> model,
                            MakeModel(job.model(), input, registered));
    CONVOY_ASSIGN_OR_RETURN(model, WithoutFrozenParts(std::move(model), job.optimizer()));
    models.push_back(std::make_unique<TimedModel>(std::move(model)));
    if (SameParts(*models[0], *models.back())) continue;
    return absl::InternalError(
        "cluster.threads_per_worker: the model has other variables or tables when it is made a "
        "second time; each thread has a model of its own, made of the same settings");
  }
  return models;
}

}  // namespace

ComputeTimes TrainingSetup::compute_times() const {
  ComputeTimes times;
  for (const std::unique_ptr<TimedModel>& model : models) {
    times.computed += model->compute_seconds();
    times.delayed += model->delayed_seconds();
    times.examples += model->examples();
  }
  return times;
}

absl::StatusOr<TrainingSetup> PrepareTraining(const v1::Job& job,
                                              std::span<const ModelRegistration> models,
                                              const ActivityCallback& activity) {
  TrainingSetup setup;
  // Only data with a schema need what the job began with when it goes on.
  std::shared_ptr<const v1::Schema> earlier;
  if (job.data().has_csv()) {
    CONVOY_ASSIGN_OR_RETURN(earlier, EarlierSchema(job.init()));
  }
  CONVOY_ASSIGN_OR_RETURN(setup.data, OpenData(job.data(), job.seed(), activity, earlier.get()));
  const Dataset& train = *setup.data.train;
  if (job.data().has_old()) {
    CONVOY_ASSIGN_OR_RETURN(
        setup.old, OpenOldData(job.data(), job.seed(), train, setup.data.schema, activity));
  }
  SaySkipped(job.data(), setup.data, setup.old, activity);
  activity("building the model");
  CONVOY_ASSIGN_OR_RETURN(const ModelInput input,
                          ModelInputOf(job, setup.data, setup.old.replayed.get()));
  CONVOY_ASSIGN_OR_RETURN(setup.models, MakeModels(job, input, models));
  CONVOY_RETURN_IF_ERROR(CheckIdsHaveTables(train, setup.model()));
  CONVOY_RETURN_IF_ERROR(CheckAllLabels(setup.data, setup.old, setup.model()));
  if (setup.data.validation != nullptr) {
    setup.summary.set_validation_examples(static_cast<uint64_t>(setup.data.validation->size()));
  }
  if (setup.data.test != nullptr) {
    setup.summary.set_test_examples(static_cast<uint64_t>(setup.data.test->size()));
  }
  CONVOY_ASSIGN_OR_RETURN(setup.training,
                          MakeTrainingData(job, train, setup.model(), setup.old.replayed.get()));
  if (const std::string how = Describe(setup.training); !how.empty()) activity(how);
  setup.summary.set_epoch_examples(setup.training.epoch_size());
  setup.summary.set_examples(static_cast<uint64_t>(train.size()));
  setup.summary.set_features(static_cast<uint64_t>(train.features()));
  setup.summary.set_fields(static_cast<uint32_t>(train.fields()));
  setup.summary.set_classes(static_cast<uint32_t>(input.classes));
  setup.summary.set_fingerprint(train.fingerprint());
  setup.summary.set_example_bytes(ExampleBytes(train));
  setup.summary.set_activation_bytes(static_cast<uint64_t>(setup.model().activation_bytes()));
  DescribeOld(setup.old, &setup.summary);
  return setup;
}

absl::Status CheckIdsHaveTables(const Dataset& data, const Model& model) {
  if (!data.has_ids() || !model.tables().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the features of the data are ids without an upper bound, but the model has no embedding "
      "table "
      "that keeps weights for them; use a model that has one, or columns with numbers (libsvm "
      "without data.ids, CSV without columns of type ID)");
}

absl::StatusOr<int64_t> ClassesOf(const v1::Model& model, const Dataset& data) {
  if (LearnsNumber(model)) return 0;
  if (LearnsTwoClasses(model)) return 2;
  if (model.has_classes()) return model.classes();
  float largest = 0;
  bool whole = true;
  for (int64_t i = 0; i < data.size(); ++i) {
    largest = std::max(largest, data.label(i));
    whole = whole && std::trunc(data.label(i)) == data.label(i);
  }
  // A custom model may be a regression: only numbers that can be classes are taken for them.
  if (model.has_custom() && !(whole && largest < 1e6f)) return 0;
  if (!(largest < 1e6f)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the largest label of the training data is ", largest,
                     ": classes are numbered from 0, at most 1,000,000; is this a regression?"));
  }
  return std::max<int64_t>(2, static_cast<int64_t>(largest) + 1);
}

absl::StatusOr<ModelInput> ModelInputOf(const v1::Job& job, const DataSets& data,
                                        const Dataset* replayed) {
  const Dataset& train = *data.train;
  ModelInput input;
  input.features = train.features();
  input.shape = train.example_shape();
  input.sparse = train.sparse();
  input.fields = train.fields();
  input.seed = job.seed();
  input.allow_nan_loss = job.training().nan_policy() == v1::Training::SKIP;
  const bool named = data.schema != nullptr && !data.schema->label().class_name().empty();
  CONVOY_ASSIGN_OR_RETURN(
      input.classes, named ? ClassesOf(job.model(), *data.schema) : ClassesOf(job.model(), train));
  if (replayed == nullptr || named) return input;
  CONVOY_ASSIGN_OR_RETURN(const int64_t old_classes, ClassesOf(job.model(), *replayed));
  input.classes = std::max(input.classes, old_classes);
  return input;
}

}  // namespace convoy
