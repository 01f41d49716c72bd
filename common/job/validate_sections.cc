#include "common/job/validate_sections.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/field_text.h"
#include "common/job/paths.h"
#include "common/job/validate_csv.h"
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

// Labels of a file of IDX images.
void ValidateLabels(const v1::Data& data, const std::string& images_path, const std::string& images,
                    const std::string& labels_path, bool has_labels, Violations* violations) {
  const bool other = data.format() != v1::Data::IDX && data.format() != v1::Data::AUTO;
  if (other && has_labels) {
    Wrong(violations, labels_path,
          absl::StrCat(" is for IDX files, but data.format is ",
                       v1::Data::Format_Name(data.format())));
  }
  if (data.format() == v1::Data::IDX && !has_labels && LabelsOf(images).empty()) {
    Missing(violations, labels_path,
            absl::StrCat(" is missing: the name of ", images_path,
                         " has no \"images-idx3\" from which it could be derived"));
  }
}

void ValidateValidation(const v1::Data& data, Violations* violations) {
  const v1::Validation& validation = data.validation();
  const bool has_labels = validation.has_labels();
  if (validation.source_case() == v1::Validation::SOURCE_NOT_SET) {
    Missing(violations, "data.validation", " needs a path or a fraction");
  } else if (validation.has_fraction() && has_labels) {
    Wrong(violations, "data.validation.labels", " goes with data.validation.path only");
  } else if (validation.has_path() && validation.path().empty()) {
    Wrong(violations, "data.validation.path", " must not be empty");
  } else if (validation.has_path()) {
    ValidateLabels(data, "data.validation.path", validation.path(), "data.validation.labels",
                   has_labels, violations);
  }
}

std::string KindsOfModels() {
  const google::protobuf::OneofDescriptor* kind = v1::Model::descriptor()->FindOneofByName("kind");
  std::vector<std::string> names;
  for (int i = 0; i < kind->field_count(); ++i) names.push_back(kind->field(i)->name());
  return absl::StrJoin(names, ", ");
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

}  // namespace

void ValidateData(const v1::Job& job, Violations* violations) {
  const v1::Data& data = job.data();
  if (!data.has_train()) {
    Missing(violations, "data.train", " is missing: the file of the training examples");
  } else if (data.train().empty()) {
    Wrong(violations, "data.train", " must not be empty");
  } else {
    ValidateLabels(data, "data.train", data.train(), "data.train_labels", data.has_train_labels(),
                   violations);
  }
  if (data.has_validation()) ValidateValidation(data, violations);
  if (data.has_scale() && data.scale() == 0) {
    Wrong(violations, "data.scale", " must not be 0: every feature is multiplied by it");
  }
  const bool libsvm = data.format() == v1::Data::LIBSVM || data.format() == v1::Data::AUTO;
  if (!libsvm && data.zero_based()) {
    Wrong(violations, "data.zero_based",
          absl::StrCat(" is for libsvm files, but data.format is ",
                       v1::Data::Format_Name(data.format())));
  }
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
  if (model.has_logistic_regression() && model.classes() > 2) {
    Wrong(violations, "model.classes",
          absl::StrCat(" must be 2 for logistic_regression, got ", model.classes()));
  }
}

void ValidateOptimizer(const v1::Job& job, Violations* violations) {
  for (int i = 0; i < job.optimizer().override_size(); ++i) {
    ValidateOverride(job.optimizer().override(i), ElementPath("optimizer.override", i), violations);
  }
}

void ValidateTraining(const v1::Job& job, Violations* violations) {
  const absl::StatusOr<Mode> mode = ParseMode(job.training().mode());
  if (mode.ok()) return;
  Wrong(violations, "training.mode", absl::StrCat(": ", mode.status().message()));
}

void ValidateCluster(const v1::Job& job, Violations* violations) {
  const v1::Cluster& cluster = job.cluster();
  if (cluster.lost_after_ms() > cluster.heartbeat_ms()) return;
  const bool blame_heartbeat = cluster.has_heartbeat_ms() && !cluster.has_lost_after_ms();
  violations->push_back(
      {blame_heartbeat ? "cluster.heartbeat_ms" : "cluster.lost_after_ms",
       absl::StrCat("cluster.lost_after_ms (", cluster.lost_after_ms(),
                    ") must be greater than cluster.heartbeat_ms (", cluster.heartbeat_ms(), ")")});
}

}  // namespace convoy
