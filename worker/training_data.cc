#include "worker/training_data.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"
#include "worker/class_balance.h"
#include "worker/data/negative_sampling.h"
#include "worker/evaluation.h"

namespace convoy {
namespace {

bool WantsWeights(const v1::Training& training) {
  return training.class_weights_size() > 0 || training.balance() == v1::Training::WEIGHTS;
}

absl::Status CheckBalance(const v1::Training& training, const Model& model) {
  const char* const setting =
      training.class_weights_size() > 0 ? "training.class_weights" : "training.balance";
  if (model.task() == Model::Task::kRegression) {
    return absl::InvalidArgumentError(
        absl::StrCat(setting, " is for classifiers, but the model is a regression"));
  }
  if (WantsWeights(training) && !model.weighs_examples()) {
    return absl::InvalidArgumentError(
        absl::StrCat(setting,
                     ": this model does not use Batch::weights; make it do so and override "
                     "Model::weighs_examples, or use training.balance: OVERSAMPLE"));
  }
  const int64_t classes = MetricClasses(model);
  const int64_t weights = training.class_weights_size();
  if (weights == 0 || weights == classes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "training.class_weights: got ", weights, " weights, want ", classes, ", one for each class"));
}

absl::Status SetBalance(const v1::Training& training, TrainingData* data) {
  if (!WantsWeights(training) && training.balance() == v1::Training::NONE) return absl::OkStatus();
  CONVOY_RETURN_IF_ERROR(CheckBalance(training, *data->model));
  data->class_weights.assign(training.class_weights().begin(), training.class_weights().end());
  if (training.balance() == v1::Training::NONE) return absl::OkStatus();
  CONVOY_ASSIGN_OR_RETURN(const std::vector<uint32_t> classes,
                          ClassOfEachExample(*data->examples, *data->model));
  if (training.balance() == v1::Training::WEIGHTS) {
    const auto count = static_cast<size_t>(MetricClasses(*data->model));
    data->class_weights = BalancedWeights(classes, count);
    return absl::OkStatus();
  }
  data->oversampling.emplace(classes);
  if (data->epoch_size() <= UINT32_MAX) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("training.balance: an over-sampled epoch has ",
                                                 data->epoch_size(),
                                                 " examples, want less than 2^32; use WEIGHTS"));
}

absl::Status SetSampling(const v1::Job& job, TrainingData* data) {
  const double rate = job.data().negative_rate();
  if (rate == 1) return absl::OkStatus();
  if (data->model->task() != Model::Task::kBinary) {
    return absl::InvalidArgumentError(
        "data.negative_rate is for two classes: the model must be binary, with one output");
  }
  if (!data->class_weights.empty() || data->oversampling) {
    return absl::InvalidArgumentError(
        "data.negative_rate corrects predictions for the examples that are left out; with "
        "training.class_weights or training.balance they would be wrong: give one of the two");
  }
  CONVOY_ASSIGN_OR_RETURN(const std::vector<uint32_t> classes,
                          ClassOfEachExample(*data->examples, *data->model));
  data->negative_rate = rate;
  data->kept = SampleNegatives(classes, rate, job.seed());
  if (!data->kept->empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("data.negative_rate ", rate, " keeps none of the ", classes.size(),
                   " training examples, and none of them is of class 1"));
}

absl::Status SetReplay(const v1::Job& job, const Dataset& old, TrainingData* data) {
  if (job.training().balance() == v1::Training::WEIGHTS) {
    return absl::InvalidArgumentError(
        "training.balance: WEIGHTS counts the classes of data.train alone, and data.old.replay "
        "brings others; give training.class_weights, or use OVERSAMPLE");
  }
  data->old = &old;
  auto examples = static_cast<uint64_t>(old.size());
  if (data->kept) {
    CONVOY_ASSIGN_OR_RETURN(const std::vector<uint32_t> classes,
                            ClassOfEachExample(old, *data->model));
    data->old_kept = SampleNegatives(classes, data->negative_rate, job.seed());
    examples = data->old_kept->size();
  }
  if (examples == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.old.replay: none of the ", old.size(),
                     " old examples is left by data.negative_rate and data.old.validation"));
  }
  data->replay.emplace(data->fresh_size(), examples, job.data().old().replay());
  if (data->epoch_size() <= UINT32_MAX) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "data.old.replay: an epoch has ", data->epoch_size(), " examples, want less than 2^32"));
}

}  // namespace

uint64_t TrainingData::epoch_size() const { return replay ? replay->size() : fresh_size(); }

uint64_t TrainingData::fresh_size() const {
  if (kept) return kept->size();
  return oversampling ? oversampling->size() : static_cast<uint64_t>(examples->size());
}

absl::StatusOr<TrainingData> MakeTrainingData(const v1::Job& job, const Dataset& examples,
                                              const Model& model, const Dataset* old) {
  TrainingData data;
  data.examples = &examples;
  data.model = &model;
  data.seed = job.seed();
  data.shuffle = job.data().shuffle();
  CONVOY_RETURN_IF_ERROR(SetBalance(job.training(), &data));
  CONVOY_RETURN_IF_ERROR(SetSampling(job, &data));
  if (old != nullptr) CONVOY_RETURN_IF_ERROR(SetReplay(job, *old, &data));
  if (job.data().has_augment()) {
    CONVOY_ASSIGN_OR_RETURN(data.augmentation,
                            Augmentation::Create(job.data().augment(), job.seed(), examples));
  }
  return data;
}

std::string Describe(const TrainingData& training) {
  std::vector<std::string> parts;
  if (!training.class_weights.empty()) {
    parts.push_back(absl::StrCat("class weights ", absl::StrJoin(training.class_weights, ", ")));
  }
  if (training.oversampling) {
    parts.push_back(absl::StrCat("over-sampling: an epoch visits ", training.fresh_size(),
                                 " examples out of ", training.examples->size()));
  }
  if (training.kept) {
    parts.push_back(absl::StrCat("negative sampling: an epoch visits ", training.kept->size(),
                                 " of the ", training.examples->size(),
                                 " examples; predictions are corrected for it"));
  }
  if (training.replay) {
    parts.push_back(absl::StrCat("replay: an epoch has ", training.fresh_size(), " new and ",
                                 training.replay->replayed(), " old examples out of ",
                                 training.replay->old()));
  }
  if (training.augmentation) parts.push_back("images are augmented");
  return absl::StrJoin(parts, "; ");
}

}  // namespace convoy
