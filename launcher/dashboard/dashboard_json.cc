#include "launcher/dashboard/dashboard_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace convoy {
namespace {

using PageJson = nlohmann::ordered_json;

// Three digits behind the point are plenty for a chart.
PageJson Rounded(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return std::round(*value * 1000) / 1000;
}

template <typename Number>
PageJson OrNull(const std::optional<Number>& value) {
  return value ? PageJson(*value) : PageJson(nullptr);
}

PageJson ProcessJson(const ProcessView& process) {
  PageJson json = {{"rank", process.rank},
                   {"pid", process.pid},
                   {"host", process.host},
                   {"activity", process.activity},
                   {"finished", process.finished},
                   {"silent", Rounded(process.silent_seconds)},
                   {"cpu", Rounded(process.cpu)},
                   {"memory", process.memory_bytes},
                   {"received", process.received},
                   {"sent", process.sent},
                   {"received_per_second", Rounded(process.received_per_second)},
                   {"sent_per_second", Rounded(process.sent_per_second)}};
  if (process.server) {
    json["rows"] = process.rows;
    json["parked"] = OrNull(process.parked);
    json["stored"] = OrNull(process.stored_bytes);
  } else {
    json["step"] = OrNull(process.step);
    json["examples_per_second"] = Rounded(process.examples_per_second);
    json["waiting"] = Rounded(process.waiting);
    json["staleness"] = Rounded(process.staleness);
  }
  return json;
}

PageJson AllOf(const std::vector<ProcessView>& processes) {
  PageJson json = PageJson::array();
  for (const ProcessView& process : processes) json.push_back(ProcessJson(process));
  return json;
}

// Numbers of each process, in the order that dashboard.js names.
PageJson SampleJson(const Sample& sample) {
  PageJson workers = PageJson::array(), servers = PageJson::array();
  for (const ProcessView& worker : sample.workers) {
    workers.push_back({OrNull(worker.step), Rounded(worker.examples_per_second),
                       Rounded(worker.waiting), Rounded(worker.staleness)});
  }
  for (const ProcessView& server : sample.servers) {
    servers.push_back({Rounded(server.received_per_second), Rounded(server.sent_per_second),
                       OrNull(server.parked)});
  }
  return {Rounded(sample.seconds), std::move(workers), std::move(servers)};
}

PageJson ViewJson(const RunView& view) {
  const ProgressState& progress = view.progress;
  return {{"job", view.job},
          {"mode", view.mode},
          {"state", view.state},
          {"ended", view.ended},
          {"waiting_for", view.waiting_for},
          {"seconds", Rounded(view.seconds)},
          {"left", Rounded(progress.SecondsLeft())},
          {"epoch", progress.CurrentEpoch()},
          {"epochs", progress.epochs},
          {"step", progress.step},
          {"steps", view.total_steps},
          {"examples", progress.examples},
          {"total_examples", progress.total_examples},
          {"fraction", Rounded(progress.Fraction())},
          {"examples_per_second", Rounded(progress.examples_per_second)},
          {"skipped", view.skipped},
          {"dropped", view.dropped},
          {"checkpoints", view.checkpoints},
          {"newest_checkpoint", view.newest_checkpoint},
          {"warnings", view.warnings},
          {"lines", view.events},
          {"workers", AllOf(view.workers)},
          {"servers", AllOf(view.servers)}};
}

}  // namespace

SeenByPage ParseSeen(std::string_view query) {
  SeenByPage seen;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(query.data(), query.size()), '&')) {
    const std::pair<std::string, std::string> item = absl::StrSplit(part, absl::MaxSplits('=', 1));
    uint64_t number = 0;
    if (!absl::SimpleAtoi(item.second, &number)) continue;
    if (item.first == "events") seen.events = number;
    if (item.first == "samples") seen.samples = number;
    if (item.first == "thinned") seen.thinned = static_cast<uint32_t>(number);
  }
  return seen;
}

std::string DashboardJson(const RunView& view, const v1::GetProgressReply& news,
                          const Samples& samples, const SeenByPage& seen) {
  PageJson json = ViewJson(view);
  json["events"] = PageJson::array();
  for (const std::string& event : news.events()) json["events"].push_back(event);
  json["events_seen"] = news.events_seen();
  json["coordinator"] = absl::StrCat(absl::Hex(news.job_id(), absl::kZeroPad16));
  const bool again = seen.thinned != samples.thinned() || seen.samples > samples.all().size();
  json["samples"] = PageJson::array();
  json["samples_from"] = again ? 0 : seen.samples;
  for (size_t i = again ? 0 : seen.samples; i < samples.all().size(); ++i)
    json["samples"].push_back(SampleJson(samples.all()[i]));
  json["thinned"] = samples.thinned();
  return json.dump(-1, ' ', false, PageJson::error_handler_t::replace);
}

}  // namespace convoy
