#include "common/metrics/metric_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/metrics/metrics.h"

namespace convoy {
namespace {

constexpr std::string_view kValidation = "validation/";

}  // namespace

std::vector<std::string> ValidationMetrics(uint32_t classes) {
  v1::MetricSums sums;
  sums.set_classes(classes);
  if (classes == 2) {
    sums.add_scores(0);
    sums.add_positives(0);
    sums.add_negatives(0);
  }
  const auto json = nlohmann::ordered_json::parse(MetricsJson(sums, /*per_class=*/false));
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) {
    names.push_back(absl::StrCat(std::string(kValidation), name));
  }
  return names;
}

absl::Status CheckValidationMetric(const std::string& metric, uint32_t classes) {
  const std::vector<std::string> names = ValidationMetrics(classes);
  if (std::find(names.begin(), names.end(), metric) != names.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("this job has no metric \"", metric, "\"; it has ", absl::StrJoin(names, ", ")));
}

std::string_view MetricOf(std::string_view name) {
  return name.starts_with(kValidation) ? name.substr(kValidation.size()) : name;
}

bool LowerIsBetter(std::string_view name) {
  const std::string_view metric = MetricOf(name);
  return metric == "loss" || metric == "rmse";
}

}  // namespace convoy
