// One run of a comparison and its place on disk. FOLDER/runs/NAME is its run directory,
// FOLDER/runs/NAME.textproto the job and NAME.log what `convoy train` said.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMPARE_PLANNED_RUN_H_
#define CONVOY_LAUNCHER_COMMANDS_COMPARE_PLANNED_RUN_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "launcher/report/run_record.h"
#include "proto/job.pb.h"

namespace convoy {

class PlannedRun {
 public:
  // `path`: FOLDER/runs/NAME.
  PlannedRun(std::string path, v1::Job job) : path_(std::move(path)), job_(std::move(job)) {}

  const v1::Job& job() const { return job_; }
  const std::string& directory() const { return path_; }
  std::string job_path() const { return path_ + ".textproto"; }
  std::string log_path() const { return path_ + ".log"; }

  // If it was run to its end by this build with this very job, after what it reads last changed.
  std::optional<RunRecord> Finished() const;
  // Whether a run with another job or of another build has ended there, which Prepare removes.
  bool HasAnother() const;
  // Removes what an earlier attempt left and writes the job. FailedPrecondition: there is something
  // that is not of a comparison.
  absl::Status Prepare() const;
  // What it left behind. `failure`: how the process failed; empty: it ended well.
  RunRecord Read(const std::string& failure) const;

 private:
  std::string JobText() const;

  std::string path_;
  v1::Job job_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMPARE_PLANNED_RUN_H_
