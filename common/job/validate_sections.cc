#include "common/job/validate_sections.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/cluster_size.h"
#include "common/job/field_text.h"
#include "common/job/model_task.h"
#include "common/job/paths.h"
#include "common/job/range.h"
#include "common/job/validate_csv.h"
#include "common/job/validate_data_files.h"
#include "common/mode.h"
#include "re2/re2.h"

namespace convoy {
namespace {

using Violations = std::vector<Violation>;

void Wrong(Violations* violations, std::string path, const std::string& rule) {
  std::string message = absl::StrCat(path, rule);
  violations->push_back({std::move(path), std::move(message), false});
}

void Missing(Violations* violations, std::string path, const std::string& what) {
  std::string message = absl::StrCat(path, what);
  violations->push_back({std::move(path), std::move(message), true});
}

void ValidateAugment(const v1::Data& data, Violations* violations) {
  const auto texts = {v1::Data::LIBSVM, v1::Data::LIBFFM, v1::Data::CRITEO};
  if (std::ranges::find(texts, data.format()) == texts.end()) return;
  Wrong(violations, "data.augment",
        absl::StrCat(" is for images, but data.format is ", v1::Data::Format_Name(data.format())));
}

// `path` is for files of the formats `wanted` (AUTO may be one of them), called `what`.
void ValidateFormat(const v1::Data& data, const char* path, const char* what,
                    std::initializer_list<v1::Data::Format> wanted, Violations* violations) {
  const v1::Data::Format format = data.format();
  if (format == v1::Data::AUTO || std::ranges::find(wanted, format) != wanted.end()) return;
  Wrong(
      violations, path,
      absl::StrCat(" is for ", what, " files, but data.format is ", v1::Data::Format_Name(format)));
}

// Settings of libsvm and similar text.
void ValidateTextSettings(const v1::Data& data, Violations* violations) {
  const auto libsvm = v1::Data::LIBSVM, libffm = v1::Data::LIBFFM, criteo = v1::Data::CRITEO;
  if (data.zero_based()) ValidateFormat(data, "data.zero_based", "libsvm", {libsvm}, violations);
  if (data.ids()) ValidateFormat(data, "data.ids", "libsvm", {libsvm}, violations);
  if (data.has_fields()) ValidateFormat(data, "data.fields", "libffm", {libffm}, violations);
  if (data.max_bad_lines() > 0) {
    ValidateFormat(data, "data.max_bad_lines", "libsvm, libffm and Criteo",
                   {libsvm, libffm, criteo}, violations);
    if (data.has_csv()) {
      Wrong(violations, "data.max_bad_lines",
            " is not for CSV and TSV: see data.csv.max_bad_lines");
    }
  }
  if (!data.ids()) return;
  if (data.zero_based()) {
    Wrong(violations, "data.zero_based",
          " has no meaning with data.ids: ids are taken as they are");
  }
  if (data.has_features()) {
    Wrong(violations, "data.features", " has no meaning with data.ids: ids have no upper bound");
  }
}

// What training.class_weights and training.balance are for.
void ValidateBalance(const v1::Job& job, Violations* violations) {
  const v1::Training& training = job.training();
  const int weights = training.class_weights_size();
  const bool balanced = training.balance() != v1::Training::NONE;
  const char* const path = weights > 0 ? "training.class_weights" : "training.balance";
  if ((weights > 0 || balanced) && LearnsNumber(job.model())) {
    return Wrong(
        violations, path,
        absl::StrCat(" is for classifiers, but ", KindName(job.model()), " learns a number"));
  }
  if (weights > 0 && training.balance() == v1::Training::WEIGHTS) {
    Wrong(violations, "training.balance",
          " WEIGHTS computes training.class_weights: give one of the two");
  }
  const uint32_t classes = LearnsTwoClasses(job.model()) ? 2 : job.model().classes();
  if (weights > 0 && classes > 0 && static_cast<uint32_t>(weights) != classes) {
    Wrong(violations, path,
          absl::StrCat(" must be one for each of the ", classes, " classes, got ", weights));
  }
  const auto positive = [](double weight) { return !(weight <= 0); };
  if (weights > 0 && std::ranges::none_of(training.class_weights(), positive)) {
    Wrong(violations, path, " must not all be 0: nothing would be learnt");
  }
}

std::string KindsOfModels() {
  const google::protobuf::OneofDescriptor* kind = v1::Model::descriptor()->FindOneofByName("kind");
  std::vector<std::string> names;
  for (int i = 0; i < kind->field_count(); ++i) names.push_back(kind->field(i)->name());
  return absl::StrJoin(names, ", ");
}

// Whether the model may have embedding tables. Nobody knows what the program that embeds Convoy
// registers.
bool MayHaveTables(const v1::Model& model) {
  return model.has_custom() || model.kind_case() == v1::Model::KIND_NOT_SET || HasTables(model);
}

// `path`: optimizer or one of its overrides. Where the model may have tables, the variables that
// the rule is for are checked when they are known.
template <typename Section>
void ValidateAlgorithm(const v1::Job& job, const Section& section, const std::string& path,
                       Violations* violations) {
  if (!section.has_rowwise_adagrad() || MayHaveTables(job.model())) return;
  Wrong(violations, JoinPath(path, "rowwise_adagrad"),
        absl::StrCat(" is for embedding tables, but model is ", KindName(job.model()),
                     ", which has none; use adagrad"));
}

// Whether any variable may be updated by FTRL with L1: each override may match it, or not.
bool UsesFtrlWithL1(const v1::Optimizer& optimizer) {
  std::set<std::pair<bool, bool>> may = {{optimizer.has_ftrl(), optimizer.l1() > 0}};
  for (const v1::Override& entry : optimizer.override()) {
    for (auto [ftrl, l1] : std::set(may)) {
      if (entry.algorithm_case() != v1::Override::ALGORITHM_NOT_SET) ftrl = entry.has_ftrl();
      if (entry.has_l1()) l1 = entry.l1() > 0;
      may.emplace(ftrl, l1);
    }
  }
  return may.contains({true, true});
}

void ValidateOverride(const v1::Override& override, const std::string& path,
                      Violations* violations) {
  const std::string match = JoinPath(path, "match");
  if (!override.has_match()) {
    return Missing(violations, match, " is missing: the variables that the override is for");
  }
  if (override.match().empty()) return Wrong(violations, match, " must not be empty");
  const re2::RE2 pattern(override.match(), re2::RE2::Quiet);
  if (pattern.ok()) return;
  Wrong(violations, match,
        absl::StrCat(" must be an RE2 regular expression, got \"", Shown(override.match()),
                     "\": ", pattern.error()));
}

// Threads without a slice of their own would do nothing.
void ValidateThreads(const v1::Job& job, Violations* violations) {
  constexpr uint64_t kMostSlices = 1024;  // as of training.slices
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  const uint64_t threads = ThreadsPerWorker(job);
  if (threads == 1 || !mode.ok()) return;
  const std::string path = "cluster.threads_per_worker";
  const uint64_t workers = ClusterSizeOf(job).workers;
  if (!job.training().has_slices() && DefaultSlices(job) > kMostSlices) {
    return Wrong(violations, path,
                 absl::StrCat(": ", DefaultSlices(job),
                              " threads in all, of which each gets a slice; at most ", kMostSlices,
                              ", or set training.slices"));
  }
  if (!mode->rounds() || !job.training().has_slices()) return;
  const uint64_t slices = job.training().slices();
  if (workers == 0 || threads <= (slices + workers - 1) / workers) return;
  Wrong(
      violations, path,
      absl::StrCat(": training.slices (", slices, ") leaves some of the ", threads, " threads of ",
                   workers == 1 ? "the worker" : absl::StrCat("each of ", workers, " workers"),
                   " without work; leave training.slices out, or set it to ", workers * threads));
}

}  // namespace

void ValidateData(const v1::Job& job, Violations* violations) {
  const v1::Data& data = job.data();
  ValidateDataFiles(data, violations);
  if (data.has_augment()) ValidateAugment(data, violations);
  if (data.has_scale() && data.scale() == 0) {
    Wrong(violations, "data.scale", " must not be 0: every feature is multiplied by it");
  }
  ValidateTextSettings(data, violations);
  ValidateCsv(data, violations);
}

void ValidateModel(const v1::Job& job, Violations* violations) {
  const v1::Model& model = job.model();
  if (model.kind_case() == v1::Model::KIND_NOT_SET) {
    Missing(violations, "model", absl::StrCat(" needs a kind, one of ", KindsOfModels()));
  }
  if (model.has_custom() && model.custom().name().empty()) {
    Missing(violations, "model.custom.name",
            " is missing: the name under which the model class was registered");
  }
  if (LearnsTwoClasses(model) && model.classes() > 2) {
    Wrong(violations, "model.classes",
          absl::StrCat(" must be 2 for ", KindName(model), ", got ", model.classes()));
  }
}

void ValidateOptimizer(const v1::Job& job, Violations* violations) {
  ValidateAlgorithm(job, job.optimizer(), "optimizer", violations);
  for (int i = 0; i < job.optimizer().override_size(); ++i) {
    const std::string path = ElementPath("optimizer.override", i);
    ValidateOverride(job.optimizer().override(i), path, violations);
    ValidateAlgorithm(job, job.optimizer().override(i), path, violations);
  }
}

void ValidateTraining(const v1::Job& job, Violations* violations) {
  ValidateBalance(job, violations);
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (!mode.ok())
    return Wrong(violations, "training.mode", absl::StrCat(": ", mode.status().message()));
  const v1::Training& training = job.training();
  const uint64_t slices = training.has_slices() ? training.slices() : DefaultSlices(job);
  if (mode->backup > 0 && mode->backup >= slices) {
    Wrong(violations, "training.mode",
          absl::StrCat(": backup must be less than the slices of a step, got ", mode->backup,
                       " of ", slices, "; set training.slices, or more workers"));
  }
  if (mode->local() && UsesFtrlWithL1(job.optimizer())) {
    Wrong(violations, "training.mode",
          absl::StrCat(": ", training.mode(),
                       " takes steps on the workers, where l1 of ftrl does not keep weights at 0: "
                       "it weighs all gradients since the start, of which a round forgets those "
                       "before, and averages of weights are seldom 0; set l1: 0, or use another "
                       "mode or optimizer"));
  }
}

// Which metrics there are is known once the data are read; which section they are of, before.
void ValidateFollowedMetric(const v1::Job& job, const std::string& field, const std::string& metric,
                            Violations* violations) {
  if (metric.size() <= std::string_view("validation/").size() ||
      !std::string_view(metric).starts_with("validation/")) {
    return Wrong(violations, field,
                 absl::StrCat(": got \"", Shown(metric),
                              "\", want a metric of the validation, e.g. "
                              "\"validation/loss\""));
  }
  if (job.data().has_validation()) return;
  Wrong(violations, field,
        absl::StrCat(": \"", Shown(metric),
                     "\" is not measured: there are no validation data; set data.validation"));
}

void ValidateCheckpoint(const v1::Job& job, Violations* violations) {
  const bool stops = job.training().has_early_stopping();
  const std::string& stopping = job.training().early_stopping().metric();
  const std::string& best = job.checkpoint().best();
  if (stops) {
    ValidateFollowedMetric(job, "training.early_stopping.metric", stopping, violations);
  }
  if (best.empty()) return;
  ValidateFollowedMetric(job, "checkpoint.best", best, violations);
  if (stops && best != stopping) {
    Wrong(violations, "checkpoint.best",
          absl::StrCat(": got \"", Shown(best), "\", but training.early_stopping.metric is \"",
                       Shown(stopping),
                       "\": there is one best checkpoint; leave checkpoint.best out"));
  }
}

void ValidateWorkerLoss(const v1::Job& job, Violations* violations) {
  const v1::Cluster& cluster = job.cluster();
  const auto mode = ParseMode(job.training().mode());
  const bool single = mode.ok() && mode->single();
  if (cluster.has_min_workers() && cluster.min_workers() > cluster.workers() && !single) {
    Wrong(violations, "cluster.min_workers",
          absl::StrCat(" (", cluster.min_workers(), ") must not be greater than cluster.workers (",
                       cluster.workers(), ")"));
  }
  if (cluster.on_worker_loss() != v1::Cluster::CONTINUE) return;
  if (single) {
    Wrong(violations, "cluster.on_worker_loss",
          ": CONTINUE needs other workers to go on with, and mode single is one process; leave it "
          "out");
  } else if (cluster.max_restarts() == 0) {
    Wrong(
        violations, "cluster.on_worker_loss",
        ": CONTINUE goes on after the loss of a worker, and cluster.max_restarts is 0, which ends "
        "the job with it; leave one of them out");
  }
}

void ValidateCluster(const v1::Job& job, Violations* violations) {
  const v1::Cluster& cluster = job.cluster();
  ValidateThreads(job, violations);
  ValidateWorkerLoss(job, violations);
  if (cluster.lost_after_ms() > cluster.heartbeat_ms()) return;
  const bool blame_heartbeat = cluster.has_heartbeat_ms() && !cluster.has_lost_after_ms();
  violations->push_back(
      {blame_heartbeat ? "cluster.heartbeat_ms" : "cluster.lost_after_ms",
       absl::StrCat("cluster.lost_after_ms (", cluster.lost_after_ms(),
                    ") must be greater than cluster.heartbeat_ms (", cluster.heartbeat_ms(), ")")});
}

}  // namespace convoy
