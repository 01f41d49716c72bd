#include "launcher/process/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/files/atomic_file.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr char kLockName[] = "lock";
constexpr int kMaxNamesTried = 1000;

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return SystemError(error, "cannot make run directory", path);
  const bool is_folder = fs::is_directory(path, error);
  if (error) return SystemError(error, "cannot examine run directory", path);
  if (!is_folder) {
    return absl::FailedPreconditionError(
        absl::StrCat("run directory \"", path, "\" is a file; choose another with --run-dir"));
  }
  return absl::OkStatus();
}

std::string InUseMessage(const std::string& path) {
  const auto pid = ReadFile(absl::StrCat(path, "/", kLockName), 64);
  const std::string who = pid.ok() && !pid->empty()
                              ? absl::StrCat("process ", absl::StripAsciiWhitespace(*pid))
                              : "another process";
  return absl::StrCat("run directory \"", path, "\" is in use by ", who,
                      "; wait for it, or choose another with --run-dir");
}

// One who only looks (run_lookup.h) has the lock for a moment.
bool TryLock(const OwnedFd& lock) {
  constexpr int kAttempts = 5;
  for (int attempt = 0; ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (attempt == kAttempts) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

// Refuses a folder that a living job holds. A lock file without a living owner is no obstacle.
absl::Status CheckNotInUse(const std::string& path) {
  const OwnedFd lock(::open(absl::StrCat(path, "/", kLockName).c_str(), O_RDWR | O_CLOEXEC));
  if (lock.valid() && !TryLock(lock)) return absl::FailedPreconditionError(InUseMessage(path));
  return absl::OkStatus();
}

// What a job makes before it is a run: one that was killed then leaves it behind.
bool IsOfABeginning(const fs::directory_entry& entry) {
  std::error_code error;
  const std::string name = entry.path().filename().string();
  if (name == "logs") return fs::is_empty(entry.path(), error) && !error;
  if (name == "events.jsonl") return entry.file_size(error) == 0 && !error;
  return name == kLockName || name.starts_with("job.textproto.tmp-");
}

absl::Status CheckEmpty(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (!IsOfABeginning(*entry)) names.push_back(entry->path().filename().string());
  }
  if (error) return SystemError(error, "cannot list run directory", path);
  if (names.empty()) return absl::OkStatus();
  std::sort(names.begin(), names.end());
  const bool earlier_run = std::find(names.begin(), names.end(), "job.textproto") != names.end();
  names.resize(std::min<size_t>(names.size(), 5));
  return absl::FailedPreconditionError(absl::StrCat(
      "run directory \"", path, "\" ", earlier_run ? "holds an earlier run" : "is not empty", " (",
      absl::StrJoin(names, ", "), "); ",
      earlier_run ? "go on with it with --resume, choose another with --run-dir, or remove it first"
                  : "a run directory is made new, or is empty: choose another with --run-dir"));
}

absl::StatusOr<OwnedFd> TakeLock(const std::string& path) {
  const std::string name = absl::StrCat(path, "/", kLockName);
  OwnedFd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock.valid()) return ErrnoError("cannot open lock file", name);
  if (!TryLock(lock)) return absl::FailedPreconditionError(InUseMessage(path));
  if (::ftruncate(lock.get(), 0) != 0) return ErrnoError("cannot write to", name);
  CONVOY_RETURN_IF_ERROR(WriteAll(lock, absl::StrCat(::getpid(), "\n"), name));
  return lock;
}

absl::Status Remove(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  return error ? SystemError(error, "cannot remove", path) : absl::OkStatus();
}

// A run that was killed may have left the beginning of a line.
absl::Status EndLastLine(const OwnedFd& events, const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(const uint64_t size, FileSize(events, path));
  char last = '\n';
  if (size > 0) CONVOY_RETURN_IF_ERROR(ReadExactlyAt(events, size - 1, &last, 1, path));
  return last == '\n' ? absl::OkStatus() : WriteAll(events, "\n", path);
}

std::string FileNameOf(std::string_view job_name) {
  std::string name(job_name.empty() ? "job" : job_name);
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  }
  if (name[0] == '.') name[0] = '_';
  return name;
}

}  // namespace

std::string ProgramOfRun(const std::string& run_dir) {
  const auto text = ReadFile(run_dir + "/cluster.json");
  if (!text.ok()) return "";
  const auto cluster = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const bool known =
      cluster.is_object() && cluster.contains("program") && cluster["program"].is_string();
  return known ? cluster["program"].get<std::string>() : "";
}

RunDirectory::RunDirectory(std::string path, OwnedFd lock, OwnedFd events)
    : path_(std::move(path)), lock_(std::move(lock)), events_(std::move(events)) {}

absl::StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Create(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  CONVOY_RETURN_IF_ERROR(MakeFolder(path));
  CONVOY_RETURN_IF_ERROR(CheckNotInUse(path));
  // Before the lock, so that nothing is written into somebody else's folder; and after it, since
  // another job may have come and gone in between.
  CONVOY_RETURN_IF_ERROR(CheckEmpty(path));
  CONVOY_ASSIGN_OR_RETURN(OwnedFd lock, TakeLock(path));
  CONVOY_RETURN_IF_ERROR(CheckEmpty(path));
  return Locked(std::move(path), std::move(lock));
}

absl::StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Open(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::error_code error;
  if (!fs::exists(path + "/job.textproto", error)) {
    return absl::NotFoundError(
        absl::StrCat("there is no run in \"", path, "\": it has no job.textproto"));
  }
  CONVOY_ASSIGN_OR_RETURN(OwnedFd lock, TakeLock(path));
  return Locked(std::move(path), std::move(lock));
}

absl::StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Locked(std::string path, OwnedFd lock) {
  RemoveAbandonedFiles(path);  // of a process that was killed, e.g. model.safetensors.tmp-4105-0
  CONVOY_RETURN_IF_ERROR(MakeFolder(path + "/logs"));
  const std::string events_path = path + "/events.jsonl";
  OwnedFd events(::open(events_path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!events.valid()) return ErrnoError("cannot create", events_path);
  CONVOY_RETURN_IF_ERROR(EndLastLine(events, events_path));
  return std::unique_ptr<RunDirectory>(
      new RunDirectory(std::move(path), std::move(lock), std::move(events)));
}

absl::StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::CreateDefault(std::string_view job_name,
                                                                          absl::Time now) {
  const std::string base =
      absl::StrCat("runs/", FileNameOf(job_name), "-",
                   absl::FormatTime("%Y%m%d-%H%M%S", now, absl::LocalTimeZone()));
  auto directory = Create(base);
  for (int number = 2; number <= kMaxNamesTried && absl::IsFailedPrecondition(directory.status());
       ++number) {
    directory = Create(absl::StrCat(base, "-", number));
  }
  return directory;
}

std::string RunDirectory::LogName(std::string_view role, int rank) {
  return absl::StrCat("logs/", std::string(role), "-", rank, ".log");
}

std::string RunDirectory::LogPath(std::string_view role, int rank) const {
  return absl::StrCat(path_, "/", LogName(role, rank));
}

absl::Status RunDirectory::WriteJob(std::string_view textproto) {
  return WriteFileAtomically(job_path(), textproto);
}

absl::Status RunDirectory::WriteCluster(std::string_view job_name,
                                        const std::vector<ClusterProcess>& processes) {
  std::error_code ignored;
  const std::string program = fs::read_symlink("/proc/self/exe", ignored).string();
  nlohmann::ordered_json cluster = {
      {"job", job_name}, {"program", program}, {"processes", nlohmann::json::array()}};
  for (const ClusterProcess& process : processes) {
    nlohmann::ordered_json entry = {
        {"role", process.role}, {"rank", process.rank}, {"pid", process.pid}};
    if (!process.address.empty()) entry["address"] = process.address;
    if (!process.log.empty()) entry["log"] = process.log;
    cluster["processes"].push_back(std::move(entry));
  }
  return WriteFileAtomically(
      cluster_path(), cluster.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

absl::Status RunDirectory::RemoveCluster() { return Remove(cluster_path()); }
absl::Status RunDirectory::RemoveSummary() { return Remove(summary_path()); }

absl::Status RunDirectory::AppendEvent(std::string_view event) {
  if (event.find('\n') != std::string_view::npos) {
    return absl::InvalidArgumentError("an event of events.jsonl has a line break, want one line");
  }
  CONVOY_ASSIGN_OR_RETURN(const uint64_t size, FileSize(events_, events_path()));
  const absl::Status written = WriteAll(events_, std::string(event) + "\n", events_path());
  // A part of a line must not stay: the next one follows it.
  if (!written.ok() && ::ftruncate(events_.get(), static_cast<off_t>(size)) != 0) {
    return ErrnoError("cannot cut", events_path());
  }
  return written;
}

absl::Status RunDirectory::WriteSummary(std::string_view json) {
  return WriteFileAtomically(summary_path(), std::string(json) + "\n");
}

RunDirectory::Papers RunDirectory::ReadPapers() const {
  Papers papers;
  if (auto job = ReadFile(job_path()); job.ok()) papers.job = *std::move(job);
  if (auto summary = ReadFile(summary_path()); summary.ok()) papers.summary = *std::move(summary);
  return papers;
}

absl::Status RunDirectory::PutBack(const Papers& before) {
  const auto put_back = [](const std::string& path, const std::optional<std::string>& text) {
    return text ? WriteFileAtomically(path, *text) : Remove(path);
  };
  absl::Status status = put_back(job_path(), before.job);
  status.Update(put_back(summary_path(), before.summary));
  return status;
}

}  // namespace convoy
