#include "launcher/process/running_job.h"

#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/files/owned_fd.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::StatusOr<std::string> AddressIn(const std::string& text, const std::string& path) {
  const auto cluster = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (cluster.is_object() && cluster.contains("processes") && cluster["processes"].is_array()) {
    for (const auto& process : cluster["processes"]) {
      if (!process.is_object() || process.value("role", "") != "coordinator") continue;
      if (!process.contains("address") || !process["address"].is_string()) continue;
      return process["address"].get<std::string>();
    }
  }
  return absl::DataLossError(
      absl::StrCat(path, " does not say where the coordinator is: it was changed or damaged"));
}

}  // namespace

// The lock is given back at once.
bool IsRunning(const std::string& run_dir) {
  const OwnedFd lock(::open(absl::StrCat(run_dir, "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  return lock.valid() && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0;
}

std::string RunningProcess(const std::string& run_dir) {
  const auto pid = ReadFile(absl::StrCat(run_dir, "/lock"), 64);
  if (!pid.ok() || pid->empty()) return "another process";
  return absl::StrCat("process ", absl::StripAsciiWhitespace(*pid));
}

absl::StatusOr<std::string> CoordinatorOfRunningJob(const std::string& run_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir, error)) {
    return absl::NotFoundError(absl::StrCat("there is no run directory \"", run_dir, "\""));
  }
  const bool running = IsRunning(run_dir);
  if (!running && !std::filesystem::exists(run_dir + "/job.textproto", error)) {
    return absl::NotFoundError(
        absl::StrCat("there is no run in \"", run_dir, "\": it has no job.textproto"));
  }
  if (!running) {
    return absl::FailedPreconditionError(
        absl::StrCat("the run in \"", run_dir,
                     "\" has ended: no process holds its lock; `train --resume` goes on with it"));
  }
  const std::string path = run_dir + "/cluster.json";
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    return absl::UnavailableError(absl::StrCat("the run in \"", run_dir, "\" (",
                                               RunningProcess(run_dir),
                                               ") is just starting: ask again a little later"));
  }
  CONVOY_RETURN_IF_ERROR(text.status());
  return AddressIn(*text, path);
}

}  // namespace convoy
