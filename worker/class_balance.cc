#include "worker/class_balance.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<std::vector<uint32_t>> ClassOfEachExample(const Dataset& data, const Model& model) {
  std::vector<uint32_t> classes;
  classes.reserve(static_cast<size_t>(data.size()));
  for (int64_t i = 0; i < data.size(); ++i) {
    float mapped = 0;
    CONVOY_RETURN_IF_ERROR(
        Annotate(model.CheckLabel(data.label(i), &mapped), absl::StrCat("example ", i)));
    classes.push_back(static_cast<uint32_t>(mapped));
  }
  return classes;
}

std::vector<float> BalancedWeights(std::span<const uint32_t> classes, size_t count) {
  std::vector<double> sizes(count);
  for (const uint32_t c : classes) ++sizes[c];
  const auto occur = std::ranges::count_if(sizes, [](double size) { return size > 0; });
  const double share = static_cast<double>(classes.size()) / static_cast<double>(occur);
  std::vector<float> weights;
  for (const double size : sizes) {
    weights.push_back(size > 0 ? static_cast<float>(share / size) : 1.0f);
  }
  return weights;
}

}  // namespace convoy
