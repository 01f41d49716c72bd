#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/clock.h"
#include "common/cluster_size.h"
#include "common/files/file_io.h"
#include "common/files/owned_fd.h"
#include "common/status.h"
#include "launcher/commands/job_processes.h"
#include "launcher/process/supervisor.h"

namespace convoy {
namespace {

constexpr absl::Duration kCoordinatorStart = absl::Seconds(20);

class ChildProcesses final : public JobProcesses {
 public:
  ChildProcesses(const v1::Job& job, const RunDirectory& directory, const ResumeFrom& resume,
                 const std::string& dashboard, std::unique_ptr<Supervisor> supervisor)
      : job_(job),
        directory_(directory),
        resume_(resume),
        dashboard_(dashboard),
        supervisor_(std::move(supervisor)) {}

  absl::StatusOr<std::string> StartCoordinator() override {
    return RunCoordinator(/*recover=*/false);
  }

  absl::Status ReplaceCoordinator() override {
    std::erase_if(processes_,
                  [](const ClusterProcess& process) { return process.role == "coordinator"; });
    CONVOY_RETURN_IF_ERROR(RunCoordinator(/*recover=*/true).status());
    // It is the first of them.
    std::rotate(processes_.begin(), processes_.end() - 1, processes_.end());
    return absl::OkStatus();
  }

  absl::Status StartOthers(const std::string& coordinator) override {
    coordinator_ = coordinator;
    const v1::Cluster& cluster = job_.cluster();
    for (uint32_t i = 0; i < cluster.servers(); ++i) {
      CONVOY_RETURN_IF_ERROR(
          Spawn("server", static_cast<int>(i),
                WithCores(i, 1,
                          {"server", "--coordinator", coordinator, "--rank", absl::StrCat(i),
                           "--threads", absl::StrCat(ThreadsPerServer(cluster)), "--spin-us",
                           absl::StrCat(cluster.spin_us())})));
    }
    for (uint32_t i = 0; i < cluster.workers(); ++i)
      CONVOY_RETURN_IF_ERROR(StartWorker(static_cast<int>(i)));
    return absl::OkStatus();
  }

  void Forgive(pid_t pid) override { supervisor_->Forgive(pid); }

  absl::Status ReplaceWorker(int rank) override {
    std::erase_if(processes_, [&](const ClusterProcess& process) {
      const bool is_it =
          rank >= 0 ? process.rank == rank : !supervisor_->Has(static_cast<pid_t>(process.pid));
      return process.role == "worker" && is_it;
    });
    return StartWorker(rank, rank >= 0 ? absl::StrCat("another worker ", rank) : "another worker");
  }

  void NoteRanks(const google::protobuf::RepeatedPtrField<v1::ProcessInfo>& now) override {
    for (const v1::ProcessInfo& info : now) {
      if (info.role() != v1::WORKER || !info.lost().empty()) continue;
      for (ClusterProcess& process : processes_) {
        if (process.role == "worker" && process.pid == static_cast<int64_t>(info.pid()))
          process.rank = static_cast<int>(info.rank());
      }
    }
  }

  absl::Status StartWorkers(uint32_t workers) override {
    // Of one whose end has not been dealt with the coordinator has to hear first.
    const std::vector<ProcessFailure> open = supervisor_->Failures();
    std::erase_if(processes_, [&](const ClusterProcess& process) {
      return process.role == "worker" && !supervisor_->Has(static_cast<pid_t>(process.pid)) &&
             std::ranges::none_of(open, [&process](const ProcessFailure& failure) {
               return failure.exit.pid == process.pid;
             });
    });
    std::set<int> ranks = WorkerRanks();
    for (uint32_t rank = 0; rank < workers && ranks.size() < workers; ++rank) {
      if (!ranks.insert(static_cast<int>(rank)).second) continue;
      CONVOY_RETURN_IF_ERROR(StartWorker(static_cast<int>(rank)));
    }
    return absl::OkStatus();
  }

  void Signal(pid_t pid, int number) override { supervisor_->Signal(pid, number); }

  std::string dashboard_url() const override { return dashboard_url_; }
  std::vector<ClusterProcess> processes() const override { return processes_; }

  std::optional<Failure> FirstFailure() const override {
    const std::optional<ProcessFailure> failure = supervisor_->FirstFailure();
    if (!failure) return std::nullopt;
    return FailureOf(*failure);
  }
  std::vector<Failure> Failures() const override {
    std::vector<Failure> failures;
    for (const ProcessFailure& failure : supervisor_->Failures()) {
      failures.push_back(FailureOf(failure));
    }
    return failures;
  }

  bool WaitUntilAllExited(absl::Duration timeout) override {
    return supervisor_->WaitUntilAllExited(timeout);
  }
  bool WaitUntilOthersExited(absl::Duration timeout) override {
    pid_t coordinator = 0;
    for (const ClusterProcess& process : processes_) {
      if (process.role == "coordinator") coordinator = static_cast<pid_t>(process.pid);
    }
    return supervisor_->WaitUntilAllExited(timeout, coordinator);
  }
  void Stop() override { supervisor_->Stop(); }
  void Kill() override { supervisor_->Kill(); }

 private:
  // It writes its address into a FIFO, so that nobody has to look again and again.
  absl::StatusOr<std::string> RunCoordinator(bool recover) {
    const std::string fifo = directory_.path() + "/.coordinator-address";
    std::error_code ignored;
    std::filesystem::remove(fifo, ignored);  // an earlier run may have been killed
    if (mkfifo(fifo.c_str(), 0600) != 0) {
      return absl::InternalError(absl::StrCat("cannot make ", fifo, ": ", std::strerror(errno)));
    }
    const OwnedFd reader(open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!reader.valid()) return ErrnoError("cannot open", fifo);
    std::vector<std::string> arguments = {
        "coordinator",  directory_.job_path(),    "--announce",    fifo,
        "--model-file", directory_.model_path(),  "--checkpoints", directory_.checkpoints_path(),
        "--journal",    directory_.journal_path()};
    if (recover) {
      arguments.push_back("--recover");
    } else if (!resume_.checkpoint.empty()) {
      arguments.insert(arguments.end(),
                       {"--resume-from", resume_.checkpoint, "--resume-run", directory_.path()});
      if (resume_.allow_changes) arguments.push_back("--allow-changes");
    }
    arguments.insert(arguments.end(), {"--generation", absl::StrCat(resume_.earlier.generation)});
    if (IsLaterLife()) AddEarlierLives(&arguments);
    if (!dashboard_.empty()) arguments.insert(arguments.end(), {"--dashboard", dashboard_});
    const absl::Status started =
        Spawn("coordinator", 0, std::move(arguments), recover ? "another coordinator" : "");
    const absl::StatusOr<std::string> address =
        started.ok() ? ReadLine(reader.get(), static_cast<pid_t>(processes_.back().pid))
                     : absl::StatusOr<std::string>(started);
    std::filesystem::remove(fifo, ignored);
    if (!address.ok()) return address;
    // The address, and that of the dashboard if there is one.
    const std::pair<std::string, std::string> addresses =
        absl::StrSplit(*address, absl::MaxSplits(' ', 1));
    dashboard_url_ = addresses.second;
    if (!dashboard_url_.empty()) dashboard_ = AddressOfUrl(dashboard_url_);
    return addresses.first;
  }

  bool IsLaterLife() const { return resume_.earlier.restarts > 0; }

  void AddEarlierLives(std::vector<std::string>* arguments) const {
    const EarlierLives& earlier = resume_.earlier;
    arguments->insert(arguments->end(), {"--restarts", absl::StrCat(earlier.restarts),
                                         "--restart-cause", earlier.cause});
    if (earlier.training_start == absl::InfiniteFuture()) return;
    // Not since when: the clock may be another one in the next process.
    const absl::Duration trained = SteadyNow() - earlier.training_start;
    arguments->insert(arguments->end(),
                      {"--has-trained-ms", absl::StrCat(absl::ToInt64Milliseconds(trained))});
  }

  // `first`: number among all servers and threads of workers.
  std::vector<std::string> WithCores(uint32_t first, uint32_t count,
                                     std::vector<std::string> arguments) const {
    if (!job_.cluster().pin_cores()) return arguments;
    arguments.insert(arguments.end(), {"--core", absl::StrCat(first)});
    if (count > 1) arguments.insert(arguments.end(), {"--cores", absl::StrCat(count)});
    return arguments;
  }

  Failure FailureOf(const ProcessFailure& failure) const {
    Failure described{failure.Describe(), failure.exit.ExitCode(), failure.exit.signaled};
    described.cause = DescribeExit(failure.exit);
    described.log = failure.log_path;
    described.crashed = failure.exit.Crashed();
    described.coordinator = failure.exit.role == "coordinator";
    described.worker = failure.exit.role == "worker";
    described.rank = static_cast<uint32_t>(failure.exit.rank);
    described.pid = failure.exit.pid;
    for (const ClusterProcess& process : processes_) {
      if (process.pid == described.pid) described.rank = static_cast<uint32_t>(process.rank);
    }
    return described;
  }

  std::set<int> WorkerRanks() const {
    std::set<int> ranks;
    for (const ClusterProcess& process : processes_) {
      if (process.role == "worker") ranks.insert(process.rank);
    }
    return ranks;
  }

  // `rank` -1: any that is free; for its log and cores it counts as the first one.
  absl::Status StartWorker(int rank, const std::string& why = "") {
    std::vector<std::string> arguments = {"worker", "--coordinator", coordinator_};
    if (rank >= 0) {
      arguments.insert(arguments.end(), {"--rank", absl::StrCat(rank)});
    } else {
      const std::set<int> taken = WorkerRanks();
      for (rank = 0; taken.contains(rank);) ++rank;
    }
    const uint32_t threads = ThreadsPerWorker(job_);
    const uint32_t core = job_.cluster().servers() + static_cast<uint32_t>(rank) * threads;
    return Spawn("worker", rank, WithCores(core, threads, std::move(arguments)), why);
  }

  // The log of an earlier process goes on; what belongs to which is to be seen.
  void DivideLog(const std::string& role, int rank, const std::string& what) const {
    std::ofstream(directory_.LogPath(role, rank), std::ios::app) << "\n---- " << what << " ----\n";
  }

  // `why`: it takes the place of another one.
  absl::Status Spawn(const std::string& role, int rank, std::vector<std::string> arguments,
                     const std::string& why = "") {
    ProcessSpec spec;
    spec.role = role;
    spec.rank = rank;
    spec.arguments = {"convoy"};
    for (std::string& argument : arguments) spec.arguments.push_back(std::move(argument));
    spec.log_path = directory_.LogPath(role, rank);
    if (!why.empty()) {
      DivideLog(role, rank, why);
    } else if (IsLaterLife()) {
      DivideLog(role, rank, absl::StrCat("restart ", resume_.earlier.restarts));
    }
    CONVOY_ASSIGN_OR_RETURN(const pid_t pid, supervisor_->Spawn(std::move(spec)));
    processes_.push_back({role, rank, pid, "", RunDirectory::LogName(role, rank)});
    return absl::OkStatus();
  }

  // What the child `pid` writes.
  absl::StatusOr<std::string> ReadLine(int fd, pid_t pid) {
    const absl::Time deadline = SteadyNow() + kCoordinatorStart;
    std::string text;
    while (SteadyNow() < deadline) {
      pollfd readable{fd, POLLIN, 0};
      poll(&readable, 1, 100);
      char buffer[256];
      const ssize_t count = read(fd, buffer, sizeof(buffer));
      if (count > 0) text.append(buffer, static_cast<size_t>(count));
      if (const size_t end = text.find('\n'); end != std::string::npos) return text.substr(0, end);
      for (const Failure& failure : Failures()) {
        if (failure.pid == pid) return absl::AbortedError(failure.description);
      }
      if (supervisor_->WaitUntilAllExited(absl::ZeroDuration()))
        return absl::CancelledError("the coordinator was stopped before it had started");
    }
    return absl::DeadlineExceededError(absl::StrCat(
        "the coordinator has not started within ", absl::FormatDuration(kCoordinatorStart),
        "; see ", directory_.LogPath("coordinator", 0)));
  }

  const v1::Job job_;
  const RunDirectory& directory_;
  const ResumeFrom resume_;
  std::string dashboard_;    // [HOST:]PORT
  std::string coordinator_;  // address
  std::string dashboard_url_;
  std::vector<ClusterProcess> processes_;
  std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<JobProcesses>> MakeChildProcesses(const v1::Job& job,
                                                                 const RunDirectory& directory,
                                                                 const ResumeFrom& resume,
                                                                 const std::string& dashboard,
                                                                 std::function<void()> on_exit) {
  Supervisor::Options options;
  options.on_exit = [on_exit = std::move(on_exit)](const ProcessExit&) { on_exit(); };
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<Supervisor> supervisor,
                          Supervisor::Start(std::move(options)));
  return std::unique_ptr<JobProcesses>(
      std::make_unique<ChildProcesses>(job, directory, resume, dashboard, std::move(supervisor)));
}

std::string AddressOfUrl(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return "";
  url.remove_prefix(kScheme.size());
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

int ThreadsPerServer(const v1::Cluster& cluster) {
  if (cluster.threads_per_server() > 0) return static_cast<int>(cluster.threads_per_server());
  const uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int>(std::max(1u, std::min(cores, 4u) / std::max(1u, cluster.servers())));
}

}  // namespace convoy
