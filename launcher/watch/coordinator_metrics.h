// The metrics of a coordinator: the job as a whole.
#ifndef CONVOY_LAUNCHER_WATCH_COORDINATOR_METRICS_H_
#define CONVOY_LAUNCHER_WATCH_COORDINATOR_METRICS_H_

#include <cstdint>
#include <functional>

#include "common/monitoring/metric.h"
#include "common/mutex.h"
#include "launcher/watch/event_history.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Thread-safe.
class CoordinatorMetrics {
 public:
  // What an observer who has seen so many events is told now.
  using LookFunction = std::function<v1::GetProgressReply(uint64_t events_seen)>;

  explicit CoordinatorMetrics(LookFunction look) : look_(std::move(look)) {}

  // convoy_job_*, convoy_training_*, convoy_validation_*, convoy_process_*.
  MetricList Collect();

 private:
  const LookFunction look_;
  Mutex mutex_;
  EventHistory history_ CONVOY_GUARDED_BY(mutex_){/*kept=*/1};
  uint64_t events_seen_ CONVOY_GUARDED_BY(mutex_) = 0;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_COORDINATOR_METRICS_H_
