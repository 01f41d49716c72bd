// How long a run will take, from a few steps of it.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_ESTIMATE_H_
#define CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_ESTIMATE_H_

#include "launcher/report/run_record.h"
#include "proto/job.pb.h"

namespace convoy {

struct RunEstimate {
  double examples_per_second = 0;  // 0: the probe was too short to tell
  double seconds = 0;              // of a whole run, with the start of its processes
};

// `probe`: a run of a few steps, with a validation at its end, of which `probe_seconds` is the
// whole time. `training`: as the run will be.
RunEstimate EstimateRun(const RunRecord& probe, double probe_seconds, const v1::Training& training);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_ESTIMATE_H_
