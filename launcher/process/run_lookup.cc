#include "launcher/process/run_lookup.h"

#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/files/owned_fd.h"

namespace convoy {

bool RunIsAlive(const std::string& run_dir) {
  const OwnedFd lock(::open((run_dir + "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  // Shared, so that several may look at once; held for a moment only.
  return lock.valid() && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0;
}

std::string OwnerOfRun(const std::string& run_dir) {
  const auto pid = ReadFile(run_dir + "/lock", 64);
  return pid.ok() ? std::string(absl::StripAsciiWhitespace(*pid)) : "";
}

std::string OwnerText(const std::string& run_dir) {
  const std::string pid = OwnerOfRun(run_dir);
  return pid.empty() ? "another process" : absl::StrCat("process ", pid);
}

std::string CoordinatorOfRun(const std::string& run_dir) {
  // One that is older than the lock tells of processes of an earlier life.
  std::error_code none, unknown;
  const auto written = std::filesystem::last_write_time(run_dir + "/cluster.json", none);
  const auto begun = std::filesystem::last_write_time(run_dir + "/lock", unknown);
  if (none || (!unknown && written < begun)) return "";
  const auto text = ReadFile(run_dir + "/cluster.json");
  if (!text.ok()) return "";
  const auto cluster = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!cluster.is_object() || !cluster.contains("processes") || !cluster["processes"].is_array())
    return "";
  for (const auto& process : cluster["processes"]) {
    if (!process.is_object() || process.value("role", nlohmann::json()) != "coordinator") continue;
    const auto address = process.find("address");
    if (address != process.end() && address->is_string()) return address->get<std::string>();
  }
  return "";
}

absl::StatusOr<std::string> CoordinatorOfRunningJob(const std::string& run_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir, error)) {
    return absl::NotFoundError(absl::StrCat("there is no run directory \"", run_dir, "\""));
  }
  const bool running = RunIsAlive(run_dir);
  if (!running && !std::filesystem::exists(run_dir + "/job.textproto", error)) {
    return absl::NotFoundError(
        absl::StrCat("there is no run in \"", run_dir, "\": it has no job.textproto"));
  }
  if (!running) {
    return absl::FailedPreconditionError(
        absl::StrCat("the run in \"", run_dir,
                     "\" has ended: no process holds its lock; `train --resume` goes on with it"));
  }
  std::string address = CoordinatorOfRun(run_dir);
  if (!address.empty()) return address;
  const std::string path = run_dir + "/cluster.json";
  const auto begun = std::filesystem::last_write_time(run_dir + "/lock", error);
  const auto written = std::filesystem::last_write_time(path, error);
  if (error || written < begun) {
    return absl::UnavailableError(absl::StrCat("the run in \"", run_dir, "\" (", OwnerText(run_dir),
                                               ") is just starting: ask again a little later"));
  }
  return absl::DataLossError(
      absl::StrCat(path, " does not say where the coordinator is: it was changed or damaged"));
}

}  // namespace convoy
