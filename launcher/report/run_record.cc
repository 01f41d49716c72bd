#include "launcher/report/run_record.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/job/job_file.h"
#include "common/status.h"
#include "launcher/process/run_lookup.h"

namespace convoy {
namespace {

using RecordJson = nlohmann::json;

constexpr uint64_t kLargestEvents = uint64_t{1} << 30;

double NumberAt(const RecordJson& object, const char* key, double otherwise = 0) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : otherwise;
}

uint64_t CountAt(const RecordJson& object, const char* key) {
  const double number = NumberAt(object, key);
  return number > 0 && number < 1e18 ? static_cast<uint64_t>(number) : 0;
}

std::string TextAt(const RecordJson& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// Members of an event that are no metrics.
bool IsMetric(const std::string& name) {
  for (const char* other :
       {"time", "generation", "step", "examples", "epoch", "version", "examples_per_second"}) {
    if (name == other) return false;
  }
  return true;
}

void SetValue(const std::string& metric, const RecordJson& value, Curve* curve, CurvePoint* point) {
  const size_t number = curve->FindOrAdd(metric);
  point->values.resize(std::max(point->values.size(), number + 1),
                       std::numeric_limits<double>::quiet_NaN());
  if (value.is_number()) point->values[number] = value.get<double>();
}

// Reads the lines of events.jsonl in turn.
class EventReader {
 public:
  explicit EventReader(RunRecord* record) : record_(record) {}

  void Read(std::string_view line) {
    ++number_;
    if (line.empty()) return;
    const RecordJson event = RecordJson::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object()) return Damaged("is not a JSON object");
    const std::string kind = TextAt(event, "kind");
    if (kind.empty()) return Damaged("has no kind");
    if (kind == "resume" || kind == "restart") return Resume(event);
    if (kind == "train") return Add(event, &record_->train);
    if (kind == "validation") return Add(event, &record_->validation);
  }

 private:
  void Damaged(std::string_view what) {
    ++record_->damaged_lines;
    if (record_->first_damage.empty())
      record_->first_damage = absl::StrCat("line ", number_, " ", std::string(what));
  }

  // A job that goes on counts its time anew.
  void Resume(const RecordJson& event) {
    const double step = NumberAt(event, "step");
    double kept = 0;
    for (Curve* curve : {&record_->train, &record_->validation}) {
      curve->RemoveAfter(step);
      if (!curve->empty()) kept = std::max(kept, curve->points().back().seconds);
    }
    // A restart within a run says how long the run took so far.
    before_ = NumberAt(event, "wall_seconds", kept);
  }

  void Add(const RecordJson& event, Curve* curve) {
    for (const char* member : {"time", "step", "examples"}) {
      if (!event.contains(member) || !event[member].is_number())
        return Damaged(absl::StrCat("has no ", member));
    }
    CurvePoint point;
    point.seconds = before_ + NumberAt(event, "time");
    point.examples = NumberAt(event, "examples");
    point.updates = NumberAt(event, "step");
    for (const auto& [name, value] : event.items()) {
      if (IsMetric(name) && (value.is_number() || value.is_null()))
        SetValue(name, value, curve, &point);
    }
    if (const auto own = event.find("own"); own != event.end() && own->is_object()) {
      for (const auto& [name, value] : own->items()) SetValue(name, value, curve, &point);
    }
    curve->Add(std::move(point));
  }

  RunRecord* const record_;
  uint64_t number_ = 0;
  double before_ = 0;  // seconds that earlier lives of the job took
};

void ReadEvents(std::string_view text, RunRecord* record) {
  EventReader reader(record);
  // A last line without a line break is still being written.
  for (size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    reader.Read(text.substr(0, end));
  }
}

void ReadWorkers(const RecordJson& processes, RunRecord* record) {
  if (!processes.is_array()) return;
  for (const RecordJson& process : processes) {
    if (!process.is_object() || TextAt(process, "role") != "worker") continue;
    record->workers.push_back(
        {static_cast<uint32_t>(CountAt(process, "rank")), NumberAt(process, "trained_seconds"),
         NumberAt(process, "waited_seconds"), NumberAt(process, "delayed_seconds"),
         NumberAt(process, "compute_seconds")});
  }
}

void ReadStaleness(const RecordJson& staleness, RunRecord* record) {
  if (!staleness.is_object()) return;
  record->staleness_mean = NumberAt(staleness, "mean");
  record->staleness_max = NumberAt(staleness, "max");
  const RecordJson histogram = staleness.value("histogram", RecordJson());
  if (!histogram.is_array()) return;
  for (const RecordJson& bar : histogram) {
    if (bar.is_object())
      record->staleness.push_back(
          {CountAt(bar, "from"), CountAt(bar, "to"), CountAt(bar, "count")});
  }
}

void ReadSummary(const std::string& text, RunRecord* record) {
  const RecordJson summary = RecordJson::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!summary.is_object()) {
    record->failure = "its summary.json is damaged: it is not a JSON object";
    return;
  }
  record->epoch_examples = CountAt(summary, "epoch_examples");
  record->examples = CountAt(summary, "examples");
  record->updates = CountAt(summary, "steps");
  record->wall_seconds = NumberAt(summary, "wall_seconds");
  record->examples_per_second = NumberAt(summary, "examples_per_second");
  record->bytes = CountAt(summary, "bytes_sent") + CountAt(summary, "bytes_received");
  record->dropped = CountAt(summary, "dropped_gradients");
  record->skipped = CountAt(summary, "skipped_gradients");
  ReadStaleness(summary.value("staleness", RecordJson()), record);
  ReadWorkers(summary.value("processes", RecordJson()), record);
  record->failure = TextAt(summary, "failure");
  if (record->failure.empty() && summary.value("stopped_early", RecordJson()) == true) {
    record->failure = "it was stopped early";
  }
}

}  // namespace

absl::StatusOr<RunRecord> ReadRun(const std::string& directory) {
  const std::string job_path = directory + "/job.textproto";
  std::error_code error;
  const bool begun = std::filesystem::exists(directory + "/events.jsonl", error) ||
                     std::filesystem::exists(directory + "/summary.json", error);
  if (!std::filesystem::exists(job_path, error) || !begun) {
    return absl::NotFoundError(absl::StrCat(
        directory, " holds no run: there is no ", begun ? "job.textproto" : "events.jsonl",
        "; name the folder that `convoy train` calls its run directory"));
  }
  RunRecord record;
  record.directory = directory;
  CONVOY_ASSIGN_OR_RETURN(const std::string text, ReadFile(job_path));
  CONVOY_ASSIGN_OR_RETURN(record.job, ParseJob(text, job_path, {}));
  const auto events = ReadFile(directory + "/events.jsonl", kLargestEvents);
  if (events.ok()) ReadEvents(*events, &record);
  const auto summary = ReadFile(directory + "/summary.json");
  if (summary.ok()) {
    ReadSummary(*summary, &record);
  } else if (absl::IsNotFound(summary.status())) {
    record.failure =
        RunIsAlive(directory) ? "it is still running" : "it was killed: it has no summary.json";
  } else {
    record.failure = std::string(summary.status().message());
  }
  if (!events.ok() && record.failure.empty()) {
    record.failure = absl::StrCat("there are no curves: ", std::string(events.status().message()));
  }
  return record;
}

}  // namespace convoy
