#include "launcher/report/target.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/model_task.h"
#include "common/job/suggest.h"
#include "launcher/report/number_text.h"

namespace convoy {
namespace {

constexpr const char* kLargerIsBetter[] = {
    "accuracy", "macro_precision", "macro_recall", "macro_f1", "precision", "recall", "f1", "auc"};

absl::Status NotATarget(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("--target ", std::string(text), ": ", std::string(what),
                   "; want SPLIT/METRIC=VALUE, for example validation/accuracy=0.87"));
}

// What the job file says of the metrics of its model; empty: everything is possible.
std::vector<std::string> MetricsOf(const v1::Job& job) {
  if (job.model().has_custom() || job.model().kind_case() == v1::Model::KIND_NOT_SET) return {};
  if (LearnsNumber(job.model())) return {"loss", "rmse"};
  std::vector<std::string> metrics = {"loss", "accuracy", "macro_precision", "macro_recall",
                                      "macro_f1"};
  const bool maybe_two =
      LearnsTwoClasses(job.model()) || !job.model().has_classes() || job.model().classes() == 2;
  if (maybe_two) metrics.insert(metrics.end(), {"precision", "recall", "f1", "auc"});
  return metrics;
}

absl::Status NoSuchMetric(const Target& target, const std::vector<std::string>& metrics) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--target: the job does not measure \"", target.metric, "\" on its ", target.split, " data",
      DidYouMean(target.metric, metrics), "; it has ", absl::StrJoin(metrics, ", ")));
}

}  // namespace

std::optional<bool> LargerIsBetter(std::string_view metric) {
  if (metric == "loss" || metric == "rmse") return false;
  for (const char* name : kLargerIsBetter) {
    if (metric == name) return true;
  }
  return std::nullopt;
}

std::string Target::Describe() const {
  return absl::StrCat(split == "train" ? "training " : "validation ", metric, " of ",
                      ShortestText(value));
}

absl::StatusOr<Target> ParseTarget(std::string_view text) {
  Target target;
  const size_t slash = text.find('/'), sign = text.find('=');
  if (sign == std::string_view::npos) return NotATarget(text, "there is no \"=\"");
  if (slash == std::string_view::npos || slash > sign)
    return NotATarget(text, "there is no \"/\" before the metric");
  target.split = text.substr(0, slash);
  std::string_view metric = text.substr(slash + 1, sign - slash - 1);
  const char relation = metric.empty() ? '=' : metric.back();
  if (relation == '<' || relation == '>') metric.remove_suffix(1);
  target.metric = metric;
  if (target.split != "validation" && target.split != "train") {
    return NotATarget(
        text, absl::StrCat("\"", target.split,
                           "\" is neither validation nor train, which are measured all along"));
  }
  if (target.metric.empty()) return NotATarget(text, "the metric is missing");
  const std::string_view value = text.substr(sign + 1);
  if (!absl::SimpleAtod({value.data(), value.size()}, &target.value) ||
      !std::isfinite(target.value)) {
    return NotATarget(text, "VALUE must be a number");
  }
  const std::optional<bool> larger = LargerIsBetter(target.metric);
  if (relation != '<' && relation != '>' && !larger) {
    return NotATarget(text, absl::StrCat("write >= or <= for \"", target.metric,
                                         "\", a metric of the model's own"));
  }
  target.at_least = relation == '>' || (relation != '<' && *larger);
  return target;
}

absl::Status CheckTarget(const Target& target, const v1::Job& job) {
  if (target.split == "validation" && !job.data().has_validation()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--target: the job measures nothing on validation data: data.validation is "
                     "missing; add it, or aim at train/",
                     target.metric));
  }
  const std::vector<std::string> metrics = MetricsOf(job);
  for (const std::string& metric : metrics) {
    if (metric == target.metric) return absl::OkStatus();
  }
  return metrics.empty() ? absl::OkStatus() : NoSuchMetric(target, metrics);
}

absl::Status CheckTarget(const Target& target, const RunRecord& run) {
  const Curve& curve = run.curve(target.split);
  if (curve.empty() || curve.Find(target.metric)) return absl::OkStatus();
  return NoSuchMetric(target, curve.metrics());
}

const CurvePoint* FirstPointAt(const Target& target, const RunRecord& run) {
  const Curve& curve = run.curve(target.split);
  const std::optional<size_t> metric = curve.Find(target.metric);
  if (!metric) return nullptr;
  for (const CurvePoint& point : curve.points()) {
    if (*metric < point.values.size() && target.MetBy(point.values[*metric])) return &point;
  }
  return nullptr;
}

}  // namespace convoy
