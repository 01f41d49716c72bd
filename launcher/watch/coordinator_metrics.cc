#include "launcher/watch/coordinator_metrics.h"

#include <optional>
#include <string>

#include "common/monitoring/process_metrics.h"
#include "common/process_usage.h"

namespace convoy {
namespace {

void AddMeasured(const std::string& split, const MeasuredValues& values, MetricList* metrics) {
  const auto add = [&](const char* name, const char* help, const std::optional<double>& value) {
    if (value)
      metrics->Gauge("convoy_" + split + "_" + name,
                     std::string(help) + " of the newest report of " + split, *value);
  };
  add("loss", "Loss", values.loss);
  add("accuracy", "Share of right predictions", values.accuracy);
  add("rmse", "Root of the mean squared error", values.rmse);
}

void AddJob(const v1::GetProgressReply& reply, const EventHistory& history, MetricList* metrics) {
  const v1::JobFigures& figures = reply.figures();
  const auto number = [](uint64_t count) { return static_cast<double>(count); };
  metrics->Gauge("convoy_job_phase", "0 starting, 1 training, 2 finishing, 3 done, 4 failed",
                 number(static_cast<uint64_t>(reply.phase())));
  metrics->Gauge("convoy_job_processes", "Servers and workers that have registered",
                 reply.processes_size());
  metrics->Gauge("convoy_job_epoch", "Epochs trained: 2.25 is two and a quarter",
                 history.state().epoch);
  metrics->Gauge("convoy_job_epochs", "Epochs to train", reply.job().training().epochs());
  metrics->Gauge("convoy_job_step", "Steps begun, or batches or rounds pushed by all workers",
                 number(figures.step()));
  metrics->Gauge("convoy_job_steps", "Step at which the training ends",
                 number(figures.total_steps()));
  metrics->Counter("convoy_job_examples_total", "Examples trained on", number(reply.examples()));
  metrics->Gauge("convoy_job_examples", "Examples to train on in all",
                 number(reply.total_examples()));
  metrics->Counter("convoy_job_skipped_gradients_total", "Gradients that were not finite",
                   number(figures.skipped()));
  metrics->Counter("convoy_job_dropped_slices_total", "Slices that came too late (sync,backup)",
                   number(figures.dropped()));
  metrics->Counter("convoy_job_checkpoints_total", "Checkpoints taken",
                   number(figures.checkpoints()));
  metrics->Counter("convoy_job_checkpoint_failures_total", "Checkpoints that could not be saved",
                   number(figures.failed_checkpoints()));
  metrics->Gauge("convoy_job_newest_checkpoint_step", "Step of the newest checkpoint of this run",
                 number(figures.newest_checkpoint()));
  metrics->Counter("convoy_job_workers_lost_total", "Workers that were lost in training",
                   number(figures.workers_lost()));
  metrics->Counter("convoy_job_restarts_total", "Times that all processes were started again",
                   number(figures.restarts()));
  metrics->Gauge("convoy_job_loss_broken", "1: the newest loss of training is not a finite number",
                 history.loss_is_broken() ? 1 : 0);
}

}  // namespace

MetricList CoordinatorMetrics::Collect() {
  MutexLock lock(mutex_);
  v1::GetProgressReply reply;
  do {
    reply = look_(events_seen_);
    events_seen_ = reply.events_seen();
    for (const std::string& event : reply.events()) history_.Add(event);
  } while (reply.events_size() > 0);
  MetricList metrics;
  AddUsage(CurrentProcessUsage(), &metrics);
  AddJob(reply, history_, &metrics);
  AddMeasured("training", history_.state().train, &metrics);
  AddMeasured("validation", history_.state().validation, &metrics);
  AddMeasured("validation_old", history_.state().validation_old, &metrics);
  return metrics;
}

}  // namespace convoy
