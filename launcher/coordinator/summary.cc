#include "launcher/coordinator/summary.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/cluster_size.h"
#include "common/metrics/metrics.h"
#include "common/staleness_histogram.h"
#include "launcher/coordinator/balance.h"
#include "launcher/coordinator/json.h"

namespace convoy {
namespace {

v1::ServerStats MergedStaleness(const Membership& members) {
  v1::ServerStats total;
  for (uint32_t rank = 0; rank < members.servers(); ++rank) {
    const Process* server = members.server(rank);
    if (server == nullptr || server->stats.staleness_count() == 0) continue;
    const v1::ServerStats& stats = server->stats;
    total.set_staleness_min(total.staleness_count() == 0
                                ? stats.staleness_min()
                                : std::min(total.staleness_min(), stats.staleness_min()));
    total.set_staleness_max(std::max(total.staleness_max(), stats.staleness_max()));
    total.set_staleness_count(total.staleness_count() + stats.staleness_count());
    total.set_staleness_sum(total.staleness_sum() + stats.staleness_sum());
    for (int i = 0; i < stats.staleness_histogram_size(); ++i) {
      if (i == total.staleness_histogram_size()) total.add_staleness_histogram(0);
      total.set_staleness_histogram(i, total.staleness_histogram(i) + stats.staleness_histogram(i));
    }
  }
  return total;
}

// How often each staleness was measured: {"from", "to", "count"} where the count is not 0.
Json Histogram(const v1::ServerStats& stats) {
  Json bars = Json::array();
  for (int i = 0; i < stats.staleness_histogram_size(); ++i) {
    if (stats.staleness_histogram(i) == 0) continue;
    const auto bucket = static_cast<size_t>(i);
    bars.push_back({{"from", StalenessBucketBegin(bucket)},
                    {"to", StalenessBucketBegin(bucket + 1) - 1},
                    {"count", stats.staleness_histogram(i)}});
  }
  return bars;
}

Json Measured(const v1::MetricSums& sums) { return Json::parse(MeasuredJson(sums)); }

void AddValidations(const MeasuredValidations& measured, Json* json) {
  const auto add = [](const char* name, const std::string& text, Json* to) {
    if (!text.empty()) (*to)[name] = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  };
  add("validation", measured.newest, json);
  add("validation_old", measured.newest_old, json);
  Json before;
  add("validation", measured.first, &before);
  add("validation_old", measured.first_old, &before);
  if (!before.empty()) (*json)["before"] = std::move(before);
}

// What a server carried and holds.
void AddServer(const v1::ServerStats& stats, Json* json) {
  (*json)["bytes_received"] = stats.bytes_received();
  (*json)["bytes_sent"] = stats.bytes_sent();
  if (stats.damaged() > 0) (*json)["damaged_requests"] = stats.damaged();
  for (const v1::CellTraffic& cell : stats.busiest()) {
    (*json)["busiest"].push_back({{"name", cell.name()}, {"bytes", cell.bytes()}});
  }
  if (stats.table_bytes() == 0) return;
  (*json)["table_rows"] = stats.rows();
  (*json)["table_bytes"] = stats.table_bytes();
  const auto add = [json](const char* name, uint64_t count) {
    if (count > 0) (*json)[name] = count;
  };
  add("table_waiting_ids", stats.waiting_ids());
  add("table_admitted_ids", stats.admitted_ids());
  add("table_refused_ids", stats.refused_ids());
  add("table_expired_rows", stats.expired_rows());
  add("table_evicted_rows", stats.evicted_rows());
}

// How a worker spent its time, and what it moved.
void AddWorker(const v1::ProcessUsage& usage, Json* json) {
  (*json)["compute_seconds"] = RoundedSeconds(absl::Seconds(usage.compute_seconds()));
  if (usage.delayed_seconds() > 0) {
    (*json)["delayed_seconds"] = RoundedSeconds(absl::Seconds(usage.delayed_seconds()));
  }
  if (usage.trained_seconds() == 0) return;  // mode single, or a client that is not Convoy's
  (*json)["trained_seconds"] = RoundedSeconds(absl::Seconds(usage.trained_seconds()));
  (*json)["waited_seconds"] = RoundedSeconds(absl::Seconds(usage.waited_seconds()));
  (*json)["bytes_sent"] = usage.bytes_sent();
  (*json)["bytes_received"] = usage.bytes_received();
}

// What hit pushes of the workers.
Json InjectedJson(const Membership& members) {
  v1::PushFaultCounts sum;
  for (uint32_t rank = 0; rank < members.workers(); ++rank) {
    const Process* worker = members.worker(rank);
    if (worker == nullptr) continue;
    const v1::PushFaultCounts& counts = worker->usage.push_faults();
    sum.set_dropped(sum.dropped() + counts.dropped());
    sum.set_duplicated(sum.duplicated() + counts.duplicated());
    sum.set_delayed(sum.delayed() + counts.delayed());
    sum.set_corrupted(sum.corrupted() + counts.corrupted());
  }
  return {{"dropped", sum.dropped()},
          {"duplicated", sum.duplicated()},
          {"delayed", sum.delayed()},
          {"corrupted", sum.corrupted()}};
}

Json RehearsalJson(const v1::Rehearsal& rehearsal, const Membership& members) {
  Json json = Json::object();
  for (const std::string& rule : rehearsal.slow_worker()) json["slow_worker"].push_back(rule);
  if (rehearsal.has_link()) json["link"] = rehearsal.link();
  for (const std::string& fault : rehearsal.fault()) json["fault"].push_back(fault);
  if (rehearsal.fault_size() > 0) json["pushes"] = InjectedJson(members);
  return json;
}

Json Processes(const Membership& members) {
  Json list = Json::array();
  for (size_t i = 0; i < members.slots(); ++i) {
    const Process* process = members.slot(i);
    if (process == nullptr) continue;
    list.push_back({{"role", process->identity.role() == v1::SERVER ? "server" : "worker"},
                    {"rank", process->identity.rank()},
                    {"pid", process->registration.pid()},
                    {"host", process->registration.host()},
                    {"cpu_seconds", process->usage.cpu_seconds()},
                    {"peak_rss_bytes", process->usage.peak_rss_bytes()}});
    if (process->registration.build_id().empty()) list.back()["foreign"] = true;
    if (process->identity.role() == v1::SERVER) {
      AddServer(process->stats, &list.back());
    } else {
      AddWorker(process->usage, &list.back());
    }
  }
  return list;
}

void AddTraffic(const Membership& members, Json* json) {
  uint64_t sent = 0, received = 0;
  double compute = 0;
  for (uint32_t rank = 0; rank < members.workers(); ++rank) {
    const Process* worker = members.worker(rank);
    if (worker == nullptr) continue;
    compute += worker->usage.compute_seconds();
    sent += worker->usage.bytes_sent();
    received += worker->usage.bytes_received();
  }
  (*json)["compute_seconds"] = compute;
  (*json)["bytes_sent"] = sent;
  (*json)["bytes_received"] = received;
}

}  // namespace

std::string SummaryJson(const v1::Job& job, const Membership& members, const ReportBook* book,
                        const Outcome& outcome) {
  const uint64_t examples = book == nullptr ? 0 : book->examples();
  // Both of this life of the job.
  const uint64_t new_examples = book == nullptr ? 0 : book->new_examples();
  const double seconds = absl::ToDoubleSeconds(outcome.life);
  Json json;
  json["job"] = job.name();
  json["mode"] = job.training().mode();
  json["servers"] = members.servers();
  json["workers"] = members.workers();
  json["threads_per_worker"] = ThreadsPerWorker(job);
  json["slices"] = job.training().slices();
  if (job.has_rehearsal()) json["rehearsal"] = RehearsalJson(job.rehearsal(), members);
  if (book != nullptr) json["epoch_examples"] = book->epoch_examples();
  json["steps"] = book == nullptr ? 0 : book->steps();
  json["examples"] = examples;
  json["new_examples"] = new_examples;
  json["wall_seconds"] = RoundedSeconds(outcome.wall);
  json["examples_per_second"] =
      seconds > 0 ? std::round(static_cast<double>(new_examples) / seconds) : 0;
  if (examples > 0) json["train"] = Measured(book->LastEpoch());
  if (book != nullptr) AddValidations(book->measured(), &json);
  if (book != nullptr && book->test().examples() > 0) json["test"] = Measured(book->test());
  const v1::ServerStats staleness = MergedStaleness(members);
  json["staleness"] = StalenessJson(staleness);
  json["staleness"]["histogram"] = Histogram(staleness);
  json["skipped_gradients"] = book == nullptr ? 0 : book->skipped();
  if (book != nullptr && book->dropped() > 0) json["dropped_gradients"] = book->dropped();
  AddTraffic(members, &json);
  if (const std::string imbalance = DescribeImbalance(members); !imbalance.empty()) {
    json["imbalance"] = imbalance;
  }
  if (outcome.restarts > 0) json["restarts"] = outcome.restarts;
  if (outcome.workers_replaced > 0) json["workers_replaced"] = outcome.workers_replaced;
  if (outcome.coordinators_replaced > 0)
    json["coordinators_replaced"] = outcome.coordinators_replaced;
  json["checkpoints_saved"] = outcome.checkpoints_saved;
  json["checkpoints_failed"] = outcome.checkpoints_failed;
  if (outcome.best) {
    json["best"] = {{"metric", outcome.best->metric},
                    {"value", outcome.best->value},
                    {"step", outcome.best->step}};
  }
  if (outcome.model_step) json["model_step"] = *outcome.model_step;
  json["stopped_early"] = outcome.stopped_early;
  if (!outcome.early_stopping.empty()) json["early_stopping"] = outcome.early_stopping;
  if (!outcome.failure.empty()) json["failure"] = outcome.failure;
  json["processes"] = Processes(members);
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace convoy
