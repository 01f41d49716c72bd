#include "launcher/report/target.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/model_task.h"
#include "common/job/suggest.h"
#include "common/metrics/metric_names.h"
#include "common/number_text.h"

namespace convoy {
namespace {

absl::Status NotATarget(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("--target ", std::string(text), ": ", std::string(what),
                   "; want SPLIT/METRIC=VALUE, for example validation/accuracy=0.87"));
}

// Those of a task with so many classes (0: a regression).
std::vector<std::string> MetricsWith(uint32_t classes) {
  std::vector<std::string> metrics;
  for (const std::string& name : ValidationMetrics(classes)) {
    metrics.emplace_back(MetricOf(name));
  }
  return metrics;
}

// What the job file says of the metrics of its model; empty: everything is possible.
std::vector<std::string> MetricsOf(const v1::Job& job) {
  if (job.model().has_custom() || job.model().kind_case() == v1::Model::KIND_NOT_SET) return {};
  if (LearnsNumber(job.model())) return MetricsWith(0);
  const bool maybe_two =
      LearnsTwoClasses(job.model()) || !job.model().has_classes() || job.model().classes() == 2;
  return MetricsWith(maybe_two ? 2 : 3);
}

absl::Status NoSuchMetric(const Target& target, const std::vector<std::string>& metrics) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--target: the job does not measure \"", target.metric, "\" on its ", target.split, " data",
      DidYouMean(target.metric, metrics), "; it has ", absl::StrJoin(metrics, ", ")));
}

}  // namespace

std::optional<bool> LargerIsBetter(std::string_view metric) {
  for (const uint32_t classes : {0, 2}) {
    const std::vector<std::string> known = MetricsWith(classes);
    if (std::ranges::find(known, metric) != known.end()) return !LowerIsBetter(metric);
  }
  return std::nullopt;
}

std::string Target::Describe() const {
  return absl::StrCat(split == "train" ? "training " : "validation ", metric, " of ",
                      NumberText(value));
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
