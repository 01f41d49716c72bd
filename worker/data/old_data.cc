#include "worker/data/old_data.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

// The section `data` as it would be of a job with `path` as its training file. `has_schema`: CSV or
// TSV, which takes the fields from there.
v1::Data OldFile(const v1::Data& data, const Dataset& train, bool has_schema,
                 const std::string& path, const std::string& labels) {
  v1::Data file = data;
  file.clear_old();
  file.clear_validation();
  file.clear_test();
  file.set_train(path);
  file.clear_train_labels();
  if (!labels.empty()) file.set_train_labels(labels);
  *file.mutable_keep_classes() = data.old().keep_classes();
  if (!train.has_ids()) file.set_features(static_cast<uint64_t>(train.features()));
  if (train.fields() > 0 && !has_schema && data.format() != v1::Data::CRITEO) {
    file.set_fields(static_cast<uint32_t>(train.fields()));
  }
  return file;
}

std::string KindText(const Dataset& data) {
  if (data.has_ids()) return "rows of ids";
  if (data.sparse()) return "sparse rows";
  const ExampleShape shape = data.example_shape();
  if (shape.height == 1) return absl::StrCat("vectors of ", data.features(), " values");
  return absl::StrCat("images of ", shape.height, " x ", shape.width, " x ", shape.channels);
}

absl::Status CheckLikeTraining(const Dataset& old, const std::string& path, const char* labels,
                               const Dataset& train) {
  if (KindText(old) != KindText(train)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has ", KindText(old), ", but the training data are ", KindText(train)));
  }
  if (old.has_labels()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": where are its labels? Name their file with ", labels));
}

}  // namespace

absl::StatusOr<OldSets> OpenOldData(const v1::Data& data, uint64_t seed, const Dataset& train,
                                    std::shared_ptr<const v1::Schema> schema,
                                    const ActivityCallback& activity) {
  const v1::OldData& old = data.old();
  const FileUse use{std::move(schema)};
  OldSets sets;
  if (!old.path().empty()) {
    v1::Data file = OldFile(data, train, use.schema != nullptr, old.path(), old.labels());
    if (old.validation().has_fraction()) *file.mutable_validation() = old.validation();
    const auto open = [&](const char* part) {
      return OpenPart(file, seed, old.path(), part, activity, use);
    };
    if (old.replay() > 0) {
      CONVOY_ASSIGN_OR_RETURN(sets.replayed, open("train"));
      CONVOY_RETURN_IF_ERROR(
          CheckLikeTraining(*sets.replayed, old.path(), "data.old.labels", train));
    }
    if (file.has_validation()) {
      CONVOY_ASSIGN_OR_RETURN(sets.validation, open("validation"));
      CONVOY_RETURN_IF_ERROR(
          CheckLikeTraining(*sets.validation, old.path(), "data.old.labels", train));
    }
  }
  if (old.validation().has_path()) {
    const std::string& path = old.validation().path();
    CONVOY_ASSIGN_OR_RETURN(sets.validation, OpenFile(OldFile(data, train, use.schema != nullptr,
                                                              path, old.validation().labels()),
                                                      path, activity, use));
    CONVOY_RETURN_IF_ERROR(
        CheckLikeTraining(*sets.validation, path, "data.old.validation.labels", train));
  }
  return sets;
}

}  // namespace convoy
