// What the workers measured, put together: a line of events.jsonl for every stretch of training and
// every validation, of new and old data, and the test, and the sums for the summary.
//
// A report names its part (slice or task) and its stretch; the same again replaces the earlier one
// and is never added. sync: a stretch of steps, or the validation or test at a version, is complete
// when all slices have reported it. Other modes: each training task is a stretch of its own, a
// validation is complete with all tasks of its epoch. Sums are merged in the order of slices or
// tasks.
#ifndef CONVOY_LAUNCHER_COORDINATOR_REPORT_BOOK_H_
#define CONVOY_LAUNCHER_COORDINATOR_REPORT_BOOK_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/interval_set.h"
#include "launcher/coordinator/epoch_sums.h"
#include "launcher/coordinator/throughput.h"
#include "launcher/coordinator/training_plan.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// What was measured, as a JSON object: the examples, and MetricsJson with its classes.
std::string MeasuredJson(const v1::MetricSums& sums);

// Validations as MeasuredJson; "": none. `first`: of the weights that the training began with, in
// modes with steps.
struct MeasuredValidations {
  std::string newest, newest_old;
  std::string first, first_old;

  bool operator==(const MeasuredValidations&) const = default;
};

// The fields of an event line are described in docs/run_directory.md.
class ReportBook {
 public:
  // What was trained on before this generation of the job.
  struct Before {
    uint64_t steps = 0;
    uint64_t examples = 0;
    uint64_t carried = 0;      // examples of the stretch that goes on
    IntervalSet trained = {};  // ids of complete tasks
    uint64_t dropped = 0;
    uint64_t skipped = 0;
    EpochSums epoch = {};
    MeasuredValidations measured = {};
    uint64_t validation_key = 0;
  };

  ReportBook(const TrainingPlan& plan, uint64_t generation, absl::Time training_start,
             const Before& before);
  ReportBook(const TrainingPlan& plan, uint64_t generation, absl::Time training_start)
      : ReportBook(plan, generation, training_start, Before()) {}

  // Returns the event line that this report completes; "": none (yet, or it was already written).
  // InvalidArgument: a part or step outside of the job, sums that contradict themselves or those of
  // the other parts. ResourceExhausted: too many stretches are incomplete.
  absl::StatusOr<std::string> Add(const v1::ReportRequest& report, absl::Time now);

  // A worker was lost with what it had summed up. Modes with steps: slices [first, last) report
  // nothing more of steps before `step` than they have; what is complete without it is. Returns the
  // event lines.
  std::vector<std::string> GiveUp(uint64_t first, uint64_t last, uint64_t step, absl::Time now);
  // Other modes: the report of a training task that is complete does not come, unless it is there;
  // 0: none.
  void GiveUpTask(uint64_t task);

  // Examples of an epoch.
  uint64_t epoch_examples() const { return plan_.examples; }
  // Of complete stretches.
  uint64_t examples() const { return examples_; }
  // Of them, those of this generation.
  uint64_t new_examples() const { return examples_ - std::min(examples_, examples_before_); }
  uint64_t steps() const { return steps_; }
  uint64_t skipped() const { return skipped_; }
  uint64_t dropped() const { return dropped_; }
  // Training on the newest epoch.
  v1::MetricSums LastEpoch() const { return epoch_.Total(); }
  const EpochSums& epoch_sums() const { return epoch_; }
  // The newest validation of this generation; empty: none.
  const v1::MetricSums& validation() const { return validation_.newest; }
  // The same of the old data.
  const v1::MetricSums& validation_old() const { return validation_old_.newest; }
  // Validations, also those of before.
  MeasuredValidations measured() const;
  // Of the newest validation: its version, or in modes without one its epoch.
  uint64_t validation_key() const { return validation_.newest_key; }
  // What was reported of training: steps of this generation, or ids of all complete tasks.
  const IntervalSet& trained() { return done_[v1::ReportRequest::TRAIN]; }
  // The test; empty: none.
  const v1::MetricSums& test() const { return test_; }

 private:
  // Kind, and what names the stretch: first step, version, task, or epoch of a validation.
  using Key = std::pair<v1::ReportRequest::Kind, uint64_t>;
  using Parts = std::map<uint64_t, v1::ReportRequest>;

  struct Validations {
    v1::MetricSums newest;
    uint64_t newest_key = 0;
    std::string newest_json, first_json;

    void Add(uint64_t key, const v1::MetricSums& sums);
  };

  Key KeyOf(const v1::ReportRequest& report) const;
  uint64_t ExpectedParts(v1::ReportRequest::Kind kind) const;
  bool IsComplete(const Key& key, const Parts& parts) const;
  // Takes the parts out.
  std::string Complete(std::map<Key, Parts>::iterator stretch, absl::Time now);
  // Examples of a stretch of training: what was reported, or that of the plan if some of it was
  // given up.
  uint64_t ExamplesOf(const Key& key, const v1::ReportRequest& merged) const;
  absl::Status Check(const v1::ReportRequest& report) const;
  void PassGap(uint64_t begin);
  void MarkDone(const Key& key, const v1::ReportRequest& merged);
  std::string TrainLine(const v1::ReportRequest& merged, absl::Time now);
  // Of a validation or the test.
  std::string MeasuredLine(const v1::ReportRequest& merged, absl::Time now);

  const TrainingPlan plan_;
  const uint64_t generation_;
  const absl::Time start_;
  const uint64_t examples_before_;  // of older generations
  std::map<Key, Parts> open_;
  std::map<v1::ReportRequest::Kind, IntervalSet> done_;
  std::map<uint64_t, uint64_t> given_up_;  // by slice: the steps before it
  bool any_ = false;
  uint32_t classes_ = 0;  // of all sums, once any_
  uint64_t examples_ = 0;
  uint64_t steps_ = 0;
  uint64_t skipped_ = 0;
  uint64_t dropped_ = 0;
  EpochSums epoch_;
  Throughput throughput_;
  Validations validation_, validation_old_;
  v1::MetricSums test_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_REPORT_BOOK_H_
