#include "launcher/commands/compare/planned_run.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/build_info.h"
#include "common/files/atomic_file.h"
#include "common/files/file_io.h"
#include "common/job/job_file.h"
#include "common/job/paths.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// When the newest file that the job reads was changed; the beginning of time if none is there.
fs::file_time_type DataChanged(const v1::Job& job) {
  fs::file_time_type newest = fs::file_time_type::min();
  const v1::Data& data = job.data();
  for (const std::string& file :
       {data.train(), data.train_labels(), LabelsOf(data.train()), data.validation().path(),
        LabelsOf(data.validation().path()), data.test().path()}) {
    std::error_code missing;
    const fs::file_time_type time = fs::last_write_time(file, missing);
    if (!missing) newest = std::max(newest, time);
  }
  return newest;
}

}  // namespace

// The build stands in it: runs of two builds are not one measurement.
std::string PlannedRun::JobText() const {
  return absl::StrCat("# run by `convoy compare`, build ", BuildId(), "\n", JobToText(job_));
}

bool PlannedRun::IsFinished() const {
  const auto text = ReadFile(job_path());
  if (!text.ok() || *text != JobText()) return false;
  const absl::StatusOr<RunRecord> run = ReadRun(path_);
  std::error_code missing;
  const fs::file_time_type written = fs::last_write_time(path_ + "/summary.json", missing);
  return run.ok() && run->ended_well() && !missing && DataChanged(job_) <= written;
}

absl::Status PlannedRun::Prepare() const {
  std::error_code error;
  if (fs::exists(path_, error) && !fs::exists(job_path(), error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is not of a comparison: there is no ", job_path(),
                     "; choose another folder with --out"));
  }
  fs::remove_all(path_, error);
  fs::remove(log_path(), error);
  fs::create_directories(fs::path(path_).parent_path(), error);
  if (error)
    return absl::PermissionDeniedError(absl::StrCat(
        "cannot make ", fs::path(path_).parent_path().string(), ": ", error.message()));
  return WriteFileAtomically(job_path(), JobText());
}

RunRecord PlannedRun::Read(const std::string& failure) const {
  absl::StatusOr<RunRecord> run = ReadRun(path_);
  if (!run.ok()) {  // it failed before it had a run directory
    RunRecord none;
    none.directory = path_;
    none.job = job_;
    none.failure = failure.empty() ? std::string(run.status().message()) : failure;
    return none;
  }
  const bool says_why = fs::exists(path_ + "/summary.json") && !run->ended_well();
  if (!failure.empty() && !says_why) run->failure = failure;
  return *std::move(run);
}

}  // namespace convoy
