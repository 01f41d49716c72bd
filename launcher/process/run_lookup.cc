#include "launcher/process/run_lookup.h"

#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
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

std::string CoordinatorOfRun(const std::string& run_dir) {
  const auto text = ReadFile(run_dir + "/cluster.json");
  if (!text.ok()) return "";
  const auto cluster = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!cluster.is_object() || !cluster.contains("processes") || !cluster["processes"].is_array()) return "";
  for (const auto& process : cluster["processes"]) {
    if (!process.is_object() || process.value("role", nlohmann::json()) != "coordinator") continue;
    const auto address = process.find("address");
    if (address != process.end() && address->is_string()) return address->get<std::string>();
  }
  return "";
}

// The lock is written when a job begins.
bool SummaryIsOfLastJob(const std::string& run_dir) {
  std::error_code none, unknown;
  const auto written = std::filesystem::last_write_time(run_dir + "/summary.json", none);
  const auto begun = std::filesystem::last_write_time(run_dir + "/lock", unknown);
  return !none && (unknown || written >= begun);
}

}  // namespace convoy
