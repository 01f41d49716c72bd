// What a run directory (docs/run_directory.md) says of one training, for reports over several.
#ifndef CONVOY_LAUNCHER_REPORT_RUN_RECORD_H_
#define CONVOY_LAUNCHER_REPORT_RUN_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/report/curve.h"
#include "proto/job.pb.h"

namespace convoy {

// How a worker spent its time, in seconds.
struct WorkerTimes {
  uint32_t rank = 0;
  double trained = 0;   // since it began to train
  double waited = 0;    // of that, for servers, other workers and data tasks
  double delayed = 0;   // slept on purpose (rehearsal.slow_worker), summed over threads
  double computed = 0;  // processor time of the model
};

// `count` contributions were from `from` to `to` updates old.
struct StalenessBar {
  uint64_t from = 0, to = 0, count = 0;
};

struct RunRecord {
  std::string directory;
  v1::Job job;  // resolved
  // A point for each report of training, and for each validation, in the order of their steps.
  Curve train, validation;
  uint64_t epoch_examples = 0;  // 0: not known
  uint64_t examples = 0;
  uint64_t updates = 0;  // steps, as summary.json counts them
  double wall_seconds = 0;
  double examples_per_second = 0;
  uint64_t bytes = 0;                 // sent and received by the workers
  uint64_t dropped = 0, skipped = 0;  // gradients
  double staleness_mean = 0, staleness_max = 0;
  std::vector<StalenessBar> staleness;
  std::vector<WorkerTimes> workers;
  // Why there is less than a whole training: the job's failure, that it was stopped, or that there
  // is no summary.json. Empty: it ended as planned.
  std::string failure;
  // Lines of events.jsonl that can't be read: how many, and the first with what is wrong with it.
  uint64_t damaged_lines = 0;
  std::string first_damage;

  const std::string& mode() const { return job.training().mode(); }
  bool ended_well() const { return failure.empty(); }
  const Curve& curve(const std::string& split) const {
    return split == "train" ? train : validation;
  }
};

// NotFound: there is no run in the folder. InvalidArgument: its job.textproto is not one. What else
// is missing or damaged is told in the record.
absl::StatusOr<RunRecord> ReadRun(const std::string& directory);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_RUN_RECORD_H_
