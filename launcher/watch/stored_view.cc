#include "launcher/watch/stored_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

using StoredJson = nlohmann::json;

double StoredNumber(const StoredJson& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

uint64_t StoredCount(const StoredJson& object, const char* name) {
  return static_cast<uint64_t>(std::clamp(StoredNumber(object, name), 0.0, 1e18));
}

std::string StoredText(const StoredJson& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

ProcessView ReadProcess(const StoredJson& process, double seconds) {
  ProcessView view;
  view.server = StoredText(process, "role") == "server";
  view.rank = static_cast<uint32_t>(StoredCount(process, "rank"));
  view.pid = StoredCount(process, "pid");
  view.host = StoredText(process, "host");
  view.cpu_seconds = StoredNumber(process, "cpu_seconds");
  view.memory_bytes = StoredCount(process, "peak_rss_bytes");
  view.received = StoredCount(process, "bytes_received");
  view.sent = StoredCount(process, "bytes_sent");
  view.rows = StoredCount(process, "table_rows");
  if (const double trained = StoredNumber(process, "trained_seconds"); trained > 0) {
    view.waiting = std::min(1.0, StoredNumber(process, "waited_seconds") / trained);
  }
  if (!(seconds > 0)) return view;
  view.received_per_second = static_cast<double>(view.received) / seconds;
  view.sent_per_second = static_cast<double>(view.sent) / seconds;
  return view;
}

}  // namespace

absl::Status ReadStored(std::string_view summary, RunView* view) {
  const StoredJson stored = StoredJson::parse(summary, nullptr, /*allow_exceptions=*/false);
  if (!stored.is_object())
    return absl::InvalidArgumentError("summary.json is damaged: it is not a JSON object");
  view->ended = true;
  const std::string failure = StoredText(stored, "failure");
  const std::string exhausted = StoredText(stored, "early_stopping");
  const bool stopped = stored.value("stopped_early", StoredJson()) == true;
  view->state = !failure.empty()     ? absl::StrCat("failed: ", failure)
                : !exhausted.empty() ? absl::StrCat("ended by early stopping: ", exhausted)
                : stopped            ? "was stopped early"
                                     : "ended as planned";
  const bool whole = failure.empty() && exhausted.empty() && !stopped;
  view->seconds = StoredNumber(stored, "wall_seconds");
  view->progress.step = StoredCount(stored, "steps");
  view->progress.examples = StoredCount(stored, "examples");
  if (whole) view->progress.total_examples = view->progress.examples;
  if (whole) view->total_steps = view->progress.step;
  view->progress.examples_per_second = StoredNumber(stored, "examples_per_second");
  view->skipped = StoredCount(stored, "skipped_gradients");
  view->dropped = StoredCount(stored, "dropped_gradients");
  if (const std::string imbalance = StoredText(stored, "imbalance"); !imbalance.empty()) {
    view->warnings.push_back(imbalance);
  }
  const StoredJson processes = stored.value("processes", StoredJson());
  if (!processes.is_array()) return absl::OkStatus();
  for (const StoredJson& process : processes) {
    if (!process.is_object()) continue;
    ProcessView one = ReadProcess(process, view->seconds);
    (one.server ? view->servers : view->workers).push_back(std::move(one));
  }
  return absl::OkStatus();
}

}  // namespace convoy
