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
fs::file_time_type InputChanged(const v1::Job& job) {
  fs::file_time_type newest = fs::file_time_type::min();
  for (const std::string& file : InputsOf(job)) {
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

std::optional<RunRecord> PlannedRun::Finished() const {
  const auto text = ReadFile(job_path());
  if (!text.ok() || *text != JobText()) return std::nullopt;
  std::error_code missing;
  const fs::file_time_type written = fs::last_write_time(path_ + "/summary.json", missing);
  if (missing || InputChanged(job_) > written) return std::nullopt;
  absl::StatusOr<RunRecord> run = ReadRun(path_);
  if (!run.ok() || !run->ended_well()) return std::nullopt;
  return *std::move(run);
}

bool PlannedRun::HasAnother() const {
  const auto text = ReadFile(job_path());
  std::error_code error;
  return text.ok() && *text != JobText() && fs::exists(path_ + "/summary.json", error);
}

absl::Status PlannedRun::Prepare() const {
  std::error_code error;
  if (fs::exists(path_, error) && !fs::exists(job_path(), error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is not of a comparison: there is no ", job_path(),
                     "; choose another folder with --out"));
  }
  for (const std::string& old : {path_, log_path()}) {
    fs::remove_all(old, error);
    if (error) return SystemError(error, "cannot remove", old);
  }
  const std::string folder = fs::path(path_).parent_path().string();
  fs::create_directories(folder, error);
  if (error) return SystemError(error, "cannot make", folder);
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
  std::error_code error;
  const bool says_why = fs::exists(path_ + "/summary.json", error) && !run->ended_well();
  if (!failure.empty() && !says_why) run->failure = failure;
  return *std::move(run);
}

}  // namespace convoy
