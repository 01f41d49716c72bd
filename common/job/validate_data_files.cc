#include "common/job/validate_data_files.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"
#include "common/job/paths.h"
#include "common/number_text.h"

namespace convoy {
namespace {

using Violations = std::vector<Violation>;

void WrongFile(Violations* violations, std::string path, const std::string& rule) {
  std::string message = absl::StrCat(path, rule);
  violations->push_back({std::move(path), std::move(message), false});
}

void MissingFile(Violations* violations, std::string path, const std::string& what) {
  std::string message = absl::StrCat(path, what);
  violations->push_back({std::move(path), std::move(message), true});
}

// Labels of a file of IDX images.
void ValidateLabels(const v1::Data& data, const std::string& images_path, const std::string& images,
                    const std::string& labels_path, bool has_labels, Violations* violations) {
  const bool other = data.format() != v1::Data::IDX && data.format() != v1::Data::AUTO;
  if (other && has_labels) {
    WrongFile(violations, labels_path,
              absl::StrCat(" is for IDX files, but data.format is ",
                           v1::Data::Format_Name(data.format())));
  }
  if (data.format() == v1::Data::IDX && !has_labels && LabelsOf(images).empty()) {
    MissingFile(violations, labels_path,
                absl::StrCat(" is missing: the name of ", images_path,
                             " has no \"images-idx3\" from which it could be derived"));
  }
}

// `path`: data.validation or data.test.
void ValidateHeldOut(const v1::Data& data, const v1::Validation& part, const std::string& path,
                     Violations* violations) {
  const std::string file = JoinPath(path, "path"), labels = JoinPath(path, "labels");
  if (part.source_case() == v1::Validation::SOURCE_NOT_SET) {
    MissingFile(violations, path, " needs a path or a fraction");
  } else if (part.has_fraction() && part.has_labels()) {
    WrongFile(violations, labels, absl::StrCat(" goes with ", file, " only"));
  } else if (part.has_path() && part.path().empty()) {
    WrongFile(violations, file, " must not be empty");
  } else if (part.has_path()) {
    ValidateLabels(data, file, part.path(), labels, part.has_labels(), violations);
  }
}

void ValidateSplit(const v1::Data& data, Violations* violations) {
  if (data.has_validation()) {
    ValidateHeldOut(data, data.validation(), "data.validation", violations);
  }
  if (data.has_test()) ValidateHeldOut(data, data.test(), "data.test", violations);
  const double validation = data.validation().fraction(), test = data.test().fraction();
  // One alone that is out of its range has been reported.
  if (!(validation > 0 && validation < 1 && test > 0 && test < 1 && validation + test >= 1)) return;
  WrongFile(violations, "data.test.fraction",
            absl::StrCat(" and data.validation.fraction must leave something to train on, got ",
                         NumberText(test), " + ", NumberText(validation)));
}

void ValidateOld(const v1::Data& data, Violations* violations) {
  const v1::OldData& old = data.old();
  const bool fraction = old.validation().has_fraction();
  if (!old.has_path() && (old.replay() > 0 || fraction)) {
    MissingFile(violations, "data.old.path",
                fraction ? " is missing: the file that data.old.validation is a fraction of"
                         : " is missing: the file of old examples to replay");
  } else if (old.has_path() && old.path().empty()) {
    WrongFile(violations, "data.old.path", " must not be empty");
  } else if (old.has_path()) {
    ValidateLabels(data, "data.old.path", old.path(), "data.old.labels", old.has_labels(),
                   violations);
  } else if (old.has_labels()) {
    WrongFile(violations, "data.old.labels", " goes with data.old.path only");
  }
  if (old.has_validation()) {
    ValidateHeldOut(data, old.validation(), "data.old.validation", violations);
  }
  // An explicit 0 is a replay that is switched off.
  const bool path_used = old.has_replay() || fraction;
  if (old.has_path() ? path_used : old.has_validation() || old.replay() > 0) return;
  WrongFile(violations, "data.old",
            old.has_path() ? ": nothing is done with data.old.path: set data.old.replay, or "
                             "data.old.validation to a fraction of it"
                           : " needs a path with replay, or a validation");
}

}  // namespace

void ValidateDataFiles(const v1::Data& data, Violations* violations) {
  if (!data.has_train()) {
    MissingFile(violations, "data.train", " is missing: the file of the training examples");
  } else if (data.train().empty()) {
    WrongFile(violations, "data.train", " must not be empty");
  } else {
    ValidateLabels(data, "data.train", data.train(), "data.train_labels", data.has_train_labels(),
                   violations);
  }
  ValidateSplit(data, violations);
  if (data.has_old()) ValidateOld(data, violations);
}

}  // namespace convoy
