// What a worker that trains slices reports of them: the metrics of every stretch of steps, and
// validations.
#ifndef CONVOY_WORKER_SLICE_REPORTS_H_
#define CONVOY_WORKER_SLICE_REPORTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "common/metrics/metrics.h"
#include "common/net/exchange.h"
#include "worker/training.h"

namespace convoy {

// One thread, but for Add. `context` outlives it.
class SliceReports {
 public:
  // What happened besides, since the last report.
  struct Events {
    Staleness staleness;
    uint64_t skipped = 0;  // gradients that were not finite
    uint64_t dropped = 0;  // slices that came too late for their step (sync,backup)

    void Add(const Events& other);
  };

  // Of the slices that the worker owns.
  explicit SliceReports(const TrainingContext& context);

  // The first step is not that of the assignment but `step`, in the place of another worker.
  void BeginAt(uint64_t step);

  // Adds what a model found on a batch of slice `slice`. Different slices may be added to by
  // different threads.
  void Add(uint32_t slice, const BatchOutput& output, const Batch& batch);
  // True if a report is due when `step` steps are taken (at the end of an epoch too).
  bool ReportsAfter(uint64_t step) const;
  // True if a validation is due then.
  bool ValidatesAfter(uint64_t step) const;
  // True if a validation is due before the first step, which is `step`: there are old data to
  // compare with, and weights that were loaded; or another worker was to make it.
  bool ValidatesBefore(uint64_t step) const;
  // Reports the steps since the last report up to `step`; none: nothing.
  absl::Status ReportTraining(uint64_t step, Events events);
  // For a checkpoint of step `step`, which has begun: what is summed up since the last report.
  absl::Status ReportPartial(uint64_t step, const Events& events);
  // Measures the parts of `data` (null: nothing) that belong to the slices on `weights`, which are
  // those after `version` steps. `between` is called now and then and may end it.
  absl::Status Measure(const Dataset* data, v1::ReportRequest::Kind kind, uint64_t version,
                       WeightSource& weights, const std::function<absl::Status()>& between);

 private:
  v1::ReportRequest NewTrainingReport(v1::ReportRequest::Kind kind, uint32_t slice,
                                      uint64_t step) const;

  const TrainingContext& context_;
  const v1::Training& training_;
  const uint64_t per_epoch_;                // steps
  std::vector<MetricAccumulator> metrics_;  // by own slice
  uint64_t reported_to_ = 0;
  uint64_t validates_before_ = 0;                         // 0: not
  Events events_;                                         // since then
  std::map<v1::ReportRequest::Kind, uint64_t> measured_;  // newest version of each
};

}  // namespace convoy

#endif  // CONVOY_WORKER_SLICE_REPORTS_H_
