#include "worker/data/kept_classes.h"

#include <numeric>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace convoy {

absl::Status KeepClasses(const v1::Data& data, const CacheView& cache, const std::string& path,
                         DatasetOptions* options) {
  if (data.keep_classes().empty()) return absl::OkStatus();
  if (!cache.header().labelled) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.keep_classes: ", path, " has no labels to choose examples by"));
  }
  std::set<float> kept;
  for (const uint32_t label : data.keep_classes()) kept.insert(static_cast<float>(label));
  if (!options->selected) {
    options->rows.resize(cache.header().examples);
    std::iota(options->rows.begin(), options->rows.end(), 0u);
    options->selected = true;
  }
  std::erase_if(options->rows, [&](uint32_t row) { return !kept.contains(cache.labels()[row]); });
  if (!options->rows.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("data.keep_classes: no example of ", path,
                                                 " is of class ",
                                                 absl::StrJoin(data.keep_classes(), ", ")));
}

}  // namespace convoy
