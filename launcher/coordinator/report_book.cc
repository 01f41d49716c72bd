#include "launcher/coordinator/report_book.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/metrics/metrics.h"
#include "common/status.h"
#include "launcher/coordinator/json.h"

namespace convoy {
namespace {

constexpr size_t kMaxOpenStretches = 4096;
constexpr auto kTrain = v1::ReportRequest::TRAIN;

const char* NameOf(v1::ReportRequest::Kind kind) {
  switch (kind) {
    case v1::ReportRequest::TEST:
      return "test";
    case v1::ReportRequest::VALIDATION_OLD:
      return "validation_old";
    default:
      return "validation";
  }
}

void MergeStaleness(const v1::ReportRequest& part, v1::ReportRequest* total) {
  if (part.staleness_count() == 0) return;
  const bool first = total->staleness_count() == 0;
  total->set_staleness_min(first ? part.staleness_min()
                                 : std::min(total->staleness_min(), part.staleness_min()));
  total->set_staleness_max(std::max(total->staleness_max(), part.staleness_max()));
  total->set_staleness_count(total->staleness_count() + part.staleness_count());
  total->set_staleness_sum(total->staleness_sum() + part.staleness_sum());
}

v1::ReportRequest Merge(const std::map<uint64_t, v1::ReportRequest>& parts) {
  v1::ReportRequest merged;
  const v1::ReportRequest& first = parts.begin()->second;
  merged.set_kind(first.kind());
  merged.set_part(first.part());
  merged.set_step_begin(first.step_begin());
  merged.set_step_end(first.step_end());
  for (const auto& [number, part] : parts) {
    MergeSums(part.sums(), merged.mutable_sums());
    MergeStaleness(part, &merged);
    merged.set_skipped(merged.skipped() + part.skipped());
    merged.set_dropped(merged.dropped() + part.dropped());
  }
  return merged;
}

}  // namespace

std::string MeasuredJson(const v1::MetricSums& sums) {
  Json json = {{"examples", sums.examples()}};
  AddMembers(MetricsJson(sums, /*per_class=*/true), &json);
  return ToText(json);
}

void ReportBook::Validations::Add(uint64_t key, const v1::MetricSums& sums) {
  if (key >= newest_key) {
    newest = sums;
    newest_json = MeasuredJson(sums);
  }
  newest_key = std::max(newest_key, key);
  if (key == 0) first_json = MeasuredJson(sums);
}

ReportBook::ReportBook(const TrainingPlan& plan, uint64_t generation, absl::Time training_start,
                       const Before& before)
    : plan_(plan),
      generation_(generation),
      start_(training_start),
      examples_before_(before.examples + before.carried),
      done_{{kTrain, before.trained}},
      examples_(before.examples),
      steps_(before.steps),
      skipped_(before.skipped),
      dropped_(before.dropped),
      epoch_(before.epoch),
      throughput_(training_start, examples_before_),
      validation_{{}, before.validation_key, before.measured.newest, before.measured.first},
      validation_old_{
          {}, before.validation_key, before.measured.newest_old, before.measured.first_old} {}

ReportBook::Key ReportBook::KeyOf(const v1::ReportRequest& report) const {
  if (report.kind() == kTrain) return {kTrain, plan_.sync ? report.step_begin() : report.part()};
  return {report.kind(), plan_.sync ? report.step_end() : report.step_begin()};
}

uint64_t ReportBook::ExpectedParts(v1::ReportRequest::Kind kind) const {
  if (plan_.sync) return plan_.slices;
  if (kind == kTrain) return 1;
  return kind == v1::ReportRequest::TEST ? plan_.TestTasks() : plan_.ValidationTasks();
}

absl::Status ReportBook::Check(const v1::ReportRequest& report) const {
  if (!v1::ReportRequest::Kind_IsValid(report.kind())) {
    return absl::InvalidArgumentError(
        absl::StrCat("kind: got ", static_cast<int>(report.kind()),
                     ", want TRAIN, VALIDATION, TEST or VALIDATION_OLD"));
  }
  if (report.kind() == v1::ReportRequest::PARTIAL && !plan_.sync) {
    return absl::InvalidArgumentError("report of kind PARTIAL: only modes with steps have them");
  }
  CONVOY_RETURN_IF_ERROR(Annotate(ValidateSums(report.sums()), "report"));
  if (any_ && report.sums().classes() != classes_) {
    return absl::InvalidArgumentError(absl::StrCat("report: got ", report.sums().classes(),
                                                   " classes, the other reports have ", classes_));
  }
  if (!plan_.sync) return absl::OkStatus();
  if (report.part() >= plan_.slices) {
    return absl::InvalidArgumentError(
        absl::StrCat("report on slice ", report.part(), ": the job has ", plan_.slices, " slices"));
  }
  const bool empty = report.kind() == kTrain && report.step_begin() >= report.step_end();
  if (empty || report.step_end() > plan_.TotalSteps()) {
    return absl::InvalidArgumentError(absl::StrCat("report on steps [", report.step_begin(), ", ",
                                                   report.step_end(), "): want a range within [0, ",
                                                   plan_.TotalSteps(), ")"));
  }
  return absl::OkStatus();
}

MeasuredValidations ReportBook::measured() const {
  MeasuredValidations all;
  all.newest = validation_.newest_json;
  all.newest_old = validation_old_.newest_json;
  if (plan_.sync) {
    all.first = validation_.first_json;
    all.first_old = validation_old_.first_json;
  }
  return all;
}

absl::StatusOr<std::string> ReportBook::Add(const v1::ReportRequest& report, absl::Time now) {
  CONVOY_RETURN_IF_ERROR(Check(report));
  any_ = true;
  classes_ = report.sums().classes();
  if (report.kind() == v1::ReportRequest::PARTIAL) return std::string();  // kept elsewhere
  const Key key = KeyOf(report);
  if (done_[report.kind()].Contains(key.second)) return std::string();
  if (open_.size() >= kMaxOpenStretches && !open_.contains(key)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "report: ", open_.size(), " stretches wait for reports of other slices or tasks"));
  }
  Parts& parts = open_[key];
  parts.erase(report.part());
  if (plan_.sync && !parts.empty() && parts.begin()->second.step_end() != report.step_end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "report on steps [", report.step_begin(), ", ", report.step_end(),
        "): others report on this stretch up to step ", parts.begin()->second.step_end()));
  }
  parts[report.part()] = report;
  if (!IsComplete(key, parts)) return std::string();
  return Complete(open_.find(key), now);
}

bool ReportBook::IsComplete(const Key& key, const Parts& parts) const {
  size_t known = parts.size();
  const uint64_t end = parts.begin()->second.step_end();
  for (const auto& [slice, step] : given_up_) {
    const bool is_given_up = key.first == kTrain && end <= step && !parts.contains(slice);
    known += is_given_up ? 1 : 0;
  }
  return known >= ExpectedParts(key.first);
}

std::string ReportBook::Complete(std::map<Key, Parts>::iterator stretch, absl::Time now) {
  const Key key = stretch->first;
  const v1::ReportRequest merged = Merge(stretch->second);
  open_.erase(stretch);
  MarkDone(key, merged);
  return key.first == kTrain ? TrainLine(merged, now) : MeasuredLine(merged, now);
}

std::vector<std::string> ReportBook::GiveUp(uint64_t first, uint64_t last, uint64_t step,
                                            absl::Time now) {
  for (uint64_t slice = first; slice < last; ++slice) {
    given_up_[slice] = std::max(given_up_[slice], step);
  }
  std::vector<std::string> lines;
  for (auto stretch = open_.begin(); stretch != open_.end();) {
    const auto next = std::next(stretch);
    std::string line;
    if (IsComplete(stretch->first, stretch->second)) line = Complete(stretch, now);
    if (!line.empty()) lines.push_back(std::move(line));
    stretch = next;
  }
  return lines;
}

void ReportBook::GiveUpTask(uint64_t task) {
  if (task == 0 || done_[kTrain].Contains(task)) return;
  v1::ReportRequest nothing;
  nothing.set_step_begin(TaskWithId(plan_.tasks(), task).epoch);
  given_up_[task] = task + 1;
  MarkDone({kTrain, task}, nothing);
}

uint64_t ReportBook::ExamplesOf(const Key& key, const v1::ReportRequest& merged) const {
  const uint64_t known = merged.sums().examples();
  if (!plan_.sync) {
    if (!given_up_.contains(key.second)) return known;
    return TaskWithId(plan_.tasks(), key.second).positions.size();
  }
  const bool some_is_given_up =
      std::any_of(given_up_.begin(), given_up_.end(),
                  [&](const auto& given_up) { return key.second < given_up.second; });
  if (!some_is_given_up) return known;
  return plan_.ExamplesAt(merged.step_end()) - plan_.ExamplesAt(key.second);
}

void ReportBook::MarkDone(const Key& key, const v1::ReportRequest& merged) {
  if (key.first != kTrain) done_[key.first].Add(key.second, key.second + 1);
  if (key.first == v1::ReportRequest::TEST) test_ = merged.sums();
  if (key.first == v1::ReportRequest::VALIDATION) validation_.Add(key.second, merged.sums());
  if (key.first == v1::ReportRequest::VALIDATION_OLD) {
    validation_old_.Add(key.second, merged.sums());
  }
  if (key.first != kTrain) return;
  if (plan_.sync) PassGap(key.second);
  const uint64_t end = plan_.sync ? merged.step_end() : key.second + 1;
  done_[kTrain].Add(key.second, end);
  const uint64_t size = ExamplesOf(key, merged);
  examples_ += size;
  skipped_ += merged.skipped();
  dropped_ += merged.dropped();
  if (plan_.sync) {
    const uint64_t epoch = (end - 1) / plan_.StepsPerEpoch();
    epoch_.Add(epoch, epoch * plan_.StepsPerEpoch(), key.second, end, merged.sums());
    steps_ = std::max(steps_, end);
  } else {
    const uint64_t epoch = merged.step_begin();
    epoch_.Add(epoch, epoch * plan_.tasks().tasks_per_epoch() + 1, key.second, end, merged.sums());
    steps_ += (size + plan_.batch - 1) / plan_.batch;
  }
}

// All slices were lost with what they had summed up of the steps before `begin`.
void ReportBook::PassGap(uint64_t begin) {
  const bool is_open = std::any_of(open_.begin(), open_.end(), [&](const auto& stretch) {
    return stretch.first.first == kTrain && stretch.first.second < begin;
  });
  const bool all_gave_up =
      given_up_.size() == plan_.slices &&
      std::all_of(given_up_.begin(), given_up_.end(),
                  [&](const auto& given_up) { return given_up.second >= begin; });
  if (steps_ >= begin || is_open || !all_gave_up) return;
  done_[kTrain].Add(steps_, begin);
  examples_ += plan_.ExamplesAt(begin) - plan_.ExamplesAt(steps_);
}

std::string ReportBook::TrainLine(const v1::ReportRequest& merged, absl::Time now) {
  if (merged.sums().examples() == 0) return "";  // all of it was given up
  const uint64_t seen = plan_.sync ? plan_.ExamplesAt(merged.step_end()) : examples_;
  Json line = EventLine("train", generation_, now - start_);
  line["step"] = plan_.sync ? merged.step_end() : steps_;
  line["examples"] = examples_;
  line["epoch"] = plan_.Epochs(seen);
  AddMembers(MetricsJson(merged.sums(), /*per_class=*/false), &line);
  line["examples_per_second"] = std::round(throughput_.Add(examples_, now));
  line["staleness"] = StalenessJson(merged);
  return ToText(line);
}

std::string ReportBook::MeasuredLine(const v1::ReportRequest& merged, absl::Time now) {
  Json line = EventLine(NameOf(merged.kind()), generation_, now - start_);
  if (plan_.sync) {
    const uint64_t seen = plan_.ExamplesAt(merged.step_end());
    line["step"] = merged.step_end();
    line["examples"] = seen;
    line["epoch"] = plan_.Epochs(seen);
    line["version"] = merged.step_end();
  } else {
    line["step"] = steps_;
    line["examples"] = examples_;
    line["epoch"] = merged.step_begin() + 1;
    line["version"] = "newest pulled";
  }
  AddMembers(MetricsJson(merged.sums(), /*per_class=*/false), &line);
  return ToText(line);
}

}  // namespace convoy
