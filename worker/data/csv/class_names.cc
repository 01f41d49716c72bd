#include "worker/data/csv/class_names.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/model_task.h"

namespace convoy {
namespace {
constexpr int64_t kShownClasses = 10;
}  // namespace

absl::StatusOr<int64_t> ClassesOf(const v1::Model& model, const v1::Schema& schema) {
  const auto& names = schema.label().class_name();
  const int64_t found = names.size();
  int64_t classes = model.has_classes() ? int64_t{model.classes()} : found;
  if (LearnsTwoClasses(model)) classes = 2;
  if (found >= 2 && found <= classes) return classes;
  const std::string list = absl::StrCat(
      absl::StrJoin(names.begin(), names.begin() + std::min(found, kShownClasses), ", "),
      found > kShownClasses ? ", ..." : "");
  if (found < 2) {
    return absl::InvalidArgumentError(absl::StrCat("label \"", schema.label().name(),
                                                   "\": all examples are of one class: ", list));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("label \"", schema.label().name(), "\": the training data have ", found,
                   " classes (", list, "), but ",
                   LearnsTwoClasses(model)
                       ? absl::StrCat(KindName(model), " has 2; use softmax_regression or mlp")
                       : absl::StrCat("model.classes is ", classes)));
}

std::vector<std::string> ClassNames(const v1::Schema* schema, int64_t classes) {
  std::vector<std::string> names;
  if (schema != nullptr) {
    names.assign(schema->label().class_name().begin(), schema->label().class_name().end());
  }
  while (static_cast<int64_t>(names.size()) < classes) names.push_back(absl::StrCat(names.size()));
  return names;
}

}  // namespace convoy
