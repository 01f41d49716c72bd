#include <nlohmann/json.hpp>

#include "common/metrics/metrics.h"
#include "common/metrics/scores.h"

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

void AddTwoClass(const Metrics& metrics, bool has_scores, Json* json) {
  (*json)["precision"] = metrics.precision;
  (*json)["recall"] = metrics.recall;
  (*json)["f1"] = metrics.f1;
  if (has_scores) (*json)["auc"] = metrics.auc;
  if (metrics.auc_error_bound > 0) (*json)["auc_error_bound"] = metrics.auc_error_bound;
}

void AddClassification(const Metrics& metrics, Json* json) {
  (*json)["accuracy"] = metrics.accuracy;
  (*json)["macro_precision"] = metrics.macro_precision;
  (*json)["macro_recall"] = metrics.macro_recall;
  (*json)["macro_f1"] = metrics.macro_f1;
}

Json PerClass(const std::vector<ClassMetrics>& classes) {
  Json list = Json::array();
  for (size_t i = 0; i < classes.size(); ++i) {
    list.push_back(Json{{"class", i},
                        {"precision", classes[i].precision},
                        {"recall", classes[i].recall},
                        {"f1", classes[i].f1},
                        {"support", classes[i].support}});
  }
  return list;
}

}  // namespace

std::string MetricsJson(const v1::MetricSums& sums, bool per_class) {
  const Metrics metrics = ComputeMetrics(sums);
  Json json;
  json["loss"] = metrics.loss;  // The library writes NaN and infinity as null.
  const bool has_scores = sums.scores_size() > 0 || HasBins(sums);
  if (sums.classes() == 0) json["rmse"] = metrics.rmse;
  if (sums.classes() > 0) AddClassification(metrics, &json);
  if (sums.classes() == 2) AddTwoClass(metrics, has_scores, &json);
  for (const auto& [name, mean] : metrics.own) json["own"][name] = mean;
  if (per_class && sums.classes() > 0) json["classes"] = PerClass(metrics.per_class);
  return json.dump();
}

}  // namespace convoy
