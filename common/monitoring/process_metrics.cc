#include "common/monitoring/process_metrics.h"

#include <utility>
#include <vector>

#include "common/staleness_histogram.h"

namespace convoy {
namespace {

double AsDouble(uint64_t count) { return static_cast<double>(count); }

// Bounds 0, 1, 2, 3, 7, 15, ..., 16383: ends of the buckets in which it was counted.
std::vector<std::pair<double, uint64_t>> StalenessBuckets(const v1::ServerStats& stats) {
  std::vector<std::pair<double, uint64_t>> buckets;
  uint64_t cumulative = 0;
  for (size_t i = 0; i + 6 < kStalenessBuckets; ++i) {
    if (i < static_cast<size_t>(stats.staleness_histogram_size())) {
      cumulative += stats.staleness_histogram(static_cast<int>(i));
    }
    const uint64_t end = StalenessBucketBegin(i + 1) - 1;
    if (end <= 3 || end == 7 || end >= 15) buckets.emplace_back(AsDouble(end), cumulative);
  }
  return buckets;
}

}  // namespace

void AddUsage(const v1::ProcessUsage& usage, MetricList* metrics) {
  metrics->Counter("convoy_process_cpu_seconds_total", "User and system time of the process",
                   usage.cpu_seconds());
  metrics->Gauge("convoy_process_resident_memory_bytes", "Resident memory",
                 AsDouble(usage.rss_bytes()));
  metrics->Gauge("convoy_process_peak_resident_memory_bytes", "Most resident memory so far",
                 AsDouble(usage.peak_rss_bytes()));
}

void AddServer(const v1::ServerStats& stats, MetricList* metrics) {
  metrics->Counter("convoy_server_received_bytes_total", "Bytes of requests of workers",
                   AsDouble(stats.bytes_received()));
  metrics->Counter("convoy_server_sent_bytes_total", "Bytes of replies to workers",
                   AsDouble(stats.bytes_sent()));
  metrics->Counter("convoy_server_updates_total", "Updates applied, over all blocks and buckets",
                   AsDouble(stats.updates()));
  metrics->Counter("convoy_server_examples_total", "Examples of complete pushes",
                   AsDouble(stats.examples()));
  metrics->Counter("convoy_server_duplicates_total",
                   "Contributions that came again and were ignored", AsDouble(stats.duplicates()));
  metrics->Counter("convoy_server_retries_total", "Requests that were told to come again later",
                   AsDouble(stats.retry_later()));
  metrics->Counter("convoy_server_damaged_requests_total",
                   "Requests that were damaged on their way (cluster.wire_checksums)",
                   AsDouble(stats.damaged()));
  metrics->Counter("convoy_server_dropped_contributions_total",
                   "Contributions that came too late (sync,backup)", AsDouble(stats.dropped()));
  metrics->Gauge("convoy_server_parked_pulls", "Pulls that wait for gradients",
                 AsDouble(stats.parked()));
  metrics->Gauge("convoy_server_stored_gradients_bytes", "Gradients kept for later",
                 AsDouble(stats.stored_bytes()));
  metrics->Gauge("convoy_server_table_rows", "Rows of embedding tables", AsDouble(stats.rows()));
  metrics->Gauge("convoy_server_table_bytes", "Memory of embedding tables",
                 AsDouble(stats.table_bytes()));
  metrics->Gauge("convoy_server_table_waiting_ids", "Ids that were seen and are not admitted yet",
                 AsDouble(stats.waiting_ids()));
  metrics->Counter("convoy_server_table_admitted_ids_total", "Ids that got a row",
                   AsDouble(stats.admitted_ids()));
  metrics->Counter("convoy_server_table_refused_ids_total",
                   "Gradients of ids for which there was no room", AsDouble(stats.refused_ids()));
  metrics->Counter("convoy_server_table_expired_rows_total",
                   "Rows that went since they were not updated", AsDouble(stats.expired_rows()));
  metrics->Counter("convoy_server_table_evicted_rows_total", "Rows that went to make room",
                   AsDouble(stats.evicted_rows()));
  metrics->Histogram("convoy_server_staleness_updates",
                     "How many updates old applied contributions were", stats.staleness_count(),
                     AsDouble(stats.staleness_sum()), StalenessBuckets(stats));
}

void AddWorker(uint64_t step, const v1::ProcessUsage& usage, MetricList* metrics) {
  metrics->Gauge("convoy_worker_step", "Highest step begun, or batches or rounds pushed",
                 AsDouble(step));
  metrics->Counter("convoy_worker_examples_total", "Examples that the model was trained on",
                   AsDouble(usage.examples()));
  metrics->Counter("convoy_worker_compute_seconds_total", "Processor time of the model's training",
                   usage.compute_seconds());
  metrics->Counter("convoy_worker_trained_seconds_total", "Time since the training began",
                   usage.trained_seconds());
  metrics->Counter("convoy_worker_waited_seconds_total",
                   "Of that, waiting for servers, workers and data tasks", usage.waited_seconds());
  metrics->Counter("convoy_worker_delayed_seconds_total",
                   "Slept on purpose (rehearsal.slow_worker)", usage.delayed_seconds());
  metrics->Counter("convoy_worker_sent_bytes_total", "Bytes sent to servers",
                   AsDouble(usage.bytes_sent()));
  metrics->Counter("convoy_worker_received_bytes_total", "Bytes received from servers",
                   AsDouble(usage.bytes_received()));
  metrics->Summary("convoy_worker_staleness_updates",
                   "How many updates old reported gradients were", usage.staleness_count(),
                   AsDouble(usage.staleness_sum()));
}

}  // namespace convoy
