// What is said of checkpoints: in their manifests, in events.jsonl, and of one that a job does not
// fit.
#ifndef CONVOY_LAUNCHER_COORDINATOR_CHECKPOINT_REPORT_H_
#define CONVOY_LAUNCHER_COORDINATOR_CHECKPOINT_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/checkpoint/manifest.h"
#include "common/interval_set.h"
#include "launcher/coordinator/checkpoint_keeper.h"
#include "launcher/coordinator/resume_point.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// `setup`: of any worker. `tasks`: those that were complete before the servers were asked.
// `resumed`: where the job went on, or null.
CheckpointManifest DescribeCheckpoint(const CheckpointToCommit& checkpoint,
                                      const v1::Assignment& assignment,
                                      const v1::ReadyRequest& setup, const IntervalSet& tasks,
                                      const ResumePoint* resumed, absl::Time now);

// Whether a step, or a data task, of both jobs is the same place in the data. `was`: the job of the
// checkpoint. FailedPrecondition: another kind of mode, or another batch size; says which.
absl::Status CheckSameSteps(const CheckpointManifest& manifest, const v1::Job& was,
                            const v1::Job& now);

// FailedPrecondition: as CheckSameSteps, or the checkpoint is of other variables or tables, slices
// or data; says which, and what to do.
absl::Status FitsCheckpoint(const ResumePoint& resumed, const v1::Job& job,
                            const v1::ReadyRequest& setup);

// Lines of events.jsonl (docs/run_directory.md); `since`: the training began.
std::string CheckpointLine(const CheckpointManifest& manifest, uint64_t generation,
                           absl::Duration since);
std::string CheckpointFailureLine(std::string_view why, uint64_t generation, absl::Duration since);
std::string WarningLine(std::string_view text, uint64_t generation, absl::Duration since);
std::string ResumeLine(const ResumePoint& resumed, uint64_t generation);
// `resumed`: null if the job begins anew. `workers`: of the job now.
std::string RestartLine(const ResumePoint* resumed, const EarlierLives& earlier,
                        uint64_t generation, absl::Time now);
std::string InitLine(const v1::InitPlan& plan, uint64_t generation);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_CHECKPOINT_REPORT_H_
