#include "launcher/report/report_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "common/build_info.h"
#include "common/cluster_size.h"
#include "launcher/report/mode_facts.h"

namespace convoy {
namespace {

using ReportObject = nlohmann::ordered_json;

constexpr size_t kPointsOfAllRuns = 12000;
constexpr size_t kLeastPointsOfARun = 60, kMostPointsOfARun = 1000;

// Six significant digits; null if it is not finite.
ReportObject Number(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (std::trunc(value) == value && std::abs(value) < 1e15) return static_cast<int64_t>(value);
  double rounded = value;
  if (!absl::SimpleAtod(absl::StrFormat("%.6g", value), &rounded)) return value;
  return rounded;
}

ReportObject SpreadJson(const std::optional<Spread>& spread) {
  if (!spread) return nullptr;
  return {{"median", Number(spread->median)},
          {"low", Number(spread->low)},
          {"high", Number(spread->high)},
          {"runs", spread->runs}};
}

ReportObject WorkersJson(const std::vector<WorkerTimes>& workers) {
  ReportObject list = ReportObject::array();
  for (const WorkerTimes& worker : workers) {
    if (worker.trained <= 0) continue;
    list.push_back({{"rank", worker.rank},
                    {"trained", Number(worker.trained)},
                    {"waited", Number(worker.waited)},
                    {"delayed", Number(worker.delayed)},
                    {"computed", Number(worker.computed)}});
  }
  return list;
}

ReportObject HistogramJson(const std::vector<StalenessBar>& bars) {
  ReportObject list = ReportObject::array();
  for (const StalenessBar& bar : bars)
    list.push_back({{"from", bar.from}, {"to", bar.to}, {"count", bar.count}});
  return list;
}

ReportObject FactsJson(const RunRecord& run) {
  const ModeFacts facts = FactsOf(run);
  return {{"examples_per_update", Number(facts.examples_per_update)},
          {"updates_per_epoch", Number(facts.updates_per_epoch)},
          {"weights_behind", facts.weights_behind},
          {"rate_rule", facts.rate_rule}};
}

ReportObject ModeJson(const Comparison& all, const ComparedMode& mode) {
  const size_t first = mode.runs.empty() ? mode.failed.front() : mode.runs.front();
  return {{"name", mode.name},
          {"learning_rate", Number(mode.learning_rate)},
          {"judged", mode.judged},
          {"runs", mode.runs.size()},
          {"failed", mode.failed.size()},
          {"reached", mode.seconds ? mode.seconds->runs : 0},
          {"seconds_to_target", SpreadJson(mode.seconds)},
          {"examples_to_target", SpreadJson(mode.examples)},
          {"updates_to_target", SpreadJson(mode.updates)},
          {"last", SpreadJson(mode.last)},
          {"examples_per_second", SpreadJson(mode.speed)},
          {"bytes", SpreadJson(mode.bytes)},
          {"dropped_gradients", SpreadJson(mode.dropped)},
          {"staleness", SpreadJson(mode.staleness)},
          {"staleness_histogram", HistogramJson(mode.histogram)},
          {"workers", WorkersJson(mode.workers)},
          {"facts", FactsJson(all.runs[first])}};
}

// Columns: {"metrics": [names], "seconds", "examples", "updates": [...], "values": [by metric
// [...]]}.
ReportObject CurveJson(const Curve& curve, const std::vector<size_t>& metrics) {
  ReportObject json = {{"metrics", ReportObject::array()},
                       {"seconds", ReportObject::array()},
                       {"examples", ReportObject::array()},
                       {"updates", ReportObject::array()},
                       {"values", ReportObject::array()}};
  for (const size_t metric : metrics) {
    json["metrics"].push_back(curve.metrics()[metric]);
    json["values"].push_back(ReportObject::array());
  }
  for (const CurvePoint& point : curve.points()) {
    json["seconds"].push_back(Number(point.seconds));
    json["examples"].push_back(Number(point.examples));
    json["updates"].push_back(Number(point.updates));
    for (size_t i = 0; i < metrics.size(); ++i) {
      json["values"][i].push_back(
          metrics[i] < point.values.size() ? Number(point.values[metrics[i]]) : nullptr);
    }
  }
  return json;
}

// The curves that a page offers: loss and the judged metric, and for the sparse validations all.
ReportObject ShownCurve(const Comparison& all, const Curve& curve, bool every_metric, size_t most) {
  Curve shown;  // only what is shown decides which points are kept
  std::vector<size_t> metrics, from;
  for (size_t i = 0; i < curve.metrics().size(); ++i) {
    const std::string& name = curve.metrics()[i];
    if (!every_metric && name != "loss" && name != all.metric) continue;
    from.push_back(i);
    metrics.push_back(shown.FindOrAdd(name));
  }
  for (const CurvePoint& point : curve.points()) {
    CurvePoint copy = {point.seconds, point.examples, point.updates, {}};
    for (const size_t i : from)
      copy.values.push_back(i < point.values.size() ? point.values[i] : std::nan(""));
    shown.Add(std::move(copy));
  }
  return CurveJson(shown.Thinned(most), metrics);
}

size_t ModeOf(const Comparison& all, size_t run) {
  for (size_t m = 0; m < all.modes.size(); ++m) {
    const ComparedMode& mode = all.modes[m];
    if (std::ranges::count(mode.runs, run) + std::ranges::count(mode.failed, run) > 0) return m;
  }
  return 0;
}

ReportObject RunJson(const Comparison& all, size_t i, Curves curves) {
  const RunRecord& run = all.runs[i];
  ReportObject json = {{"mode", ModeOf(all, i)},
                       {"seed", run.job.seed()},
                       {"directory", run.directory},
                       {"examples", run.examples},
                       {"updates", run.updates},
                       {"wall_seconds", Number(run.wall_seconds)},
                       {"examples_per_second", Number(run.examples_per_second)},
                       {"bytes", run.bytes},
                       {"dropped_gradients", run.dropped},
                       {"skipped_gradients", run.skipped},
                       {"failure", run.failure},
                       {"damaged_lines", run.damaged_lines},
                       {"first_damage", run.first_damage}};
  const CurvePoint* const point = all.target ? FirstPointAt(*all.target, run) : nullptr;
  json["seconds_to_target"] = point == nullptr ? ReportObject() : Number(point->seconds);
  const auto last = run.curve(all.split).Last(all.metric);
  json["last"] = last ? Number(*last) : ReportObject();
  if (curves == Curves::kNone) return json;
  const size_t most = std::clamp(kPointsOfAllRuns / std::max<size_t>(1, all.runs.size()),
                                 kLeastPointsOfARun, kMostPointsOfARun);
  json["points"] = run.train.points().size() + run.validation.points().size();
  json["train"] = ShownCurve(all, run.train, /*every_metric=*/false, most);
  json["validation"] =
      ShownCurve(all, run.validation, run.validation.points().size() <= most, most);
  return json;
}

}  // namespace

std::string ReportJson(const Comparison& all, const Verdict& verdict, Curves curves) {
  const RunRecord& first = all.runs.front();
  uint32_t servers = 0, workers = 0;
  uint64_t epoch_examples = 0;  // a run that failed early does not know it
  for (const RunRecord& run : all.runs) {
    servers = std::max(servers, ClusterSizeOf(run.job).servers);
    workers = std::max(workers, ClusterSizeOf(run.job).workers);
    if (epoch_examples == 0) epoch_examples = run.epoch_examples;
  }
  ReportObject json = {{"job", all.job},
                       {"convoy", std::string(Version())},
                       {"cores", std::thread::hardware_concurrency()},
                       {"servers", servers},
                       {"workers", workers},
                       {"epochs", first.job.training().epochs()},
                       {"batch_size", first.job.training().batch_size()},
                       {"epoch_examples", epoch_examples},
                       {"split", all.split},
                       {"metric", all.metric},
                       {"larger_is_better", all.larger_is_better},
                       {"target", nullptr},
                       {"rehearsal", all.rehearsal},
                       {"link_is_modelled", all.has_link},
                       {"headline", verdict.headline},
                       {"verdict", verdict.sentences},
                       {"rule", verdict.rule},
                       {"notes", all.notes}};
  if (all.target) {
    json["target"] = {{"split", all.target->split},
                      {"metric", all.target->metric},
                      {"value", Number(all.target->value)},
                      {"at_least", all.target->at_least}};
  }
  json["modes"] = ReportObject::array();
  for (const ComparedMode& mode : all.modes) json["modes"].push_back(ModeJson(all, mode));
  json["runs"] = ReportObject::array();
  for (size_t i = 0; i < all.runs.size(); ++i) json["runs"].push_back(RunJson(all, i, curves));
  return json.dump(-1, ' ', false, ReportObject::error_handler_t::replace);
}

}  // namespace convoy
