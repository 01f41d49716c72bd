#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/cluster_size.h"
#include "common/mode.h"
#include "common/mutex.h"
#include "common/status.h"
#include "launcher/commands/coordinator_command.h"
#include "launcher/commands/coordinator_pages.h"
#include "launcher/commands/job_processes.h"
#include "launcher/commands/log.h"
#include "launcher/commands/single_tables.h"
#include "launcher/process/core_pinning.h"
#include "ps/server.h"
#include "worker/worker.h"

namespace convoy {
namespace {

// Everything in this process: one thread for each server and worker, and real streams between them.
class InProcess final : public JobProcesses {
 public:
  InProcess(const v1::Job& job, const RunDirectory& directory, const ResumeFrom& resume,
            const std::string& where, std::span<const ModelRegistration> models)
      : job_(job), directory_(directory), resume_(resume), where_(where), models_(models) {}
  ~InProcess() override { Stop(); }

  absl::StatusOr<std::string> StartCoordinator() override {
    CoordinatorOptions options;
    options.model_file = directory_.model_path();
    options.checkpoints = directory_.checkpoints_path();
    options.resume_from = resume_.checkpoint;
    options.resume_run = directory_.path();
    options.allow_changes = resume_.allow_changes;
    options.earlier = resume_.earlier;
    options.fixed_workers = true;
    options.log = [path = directory_.LogPath("coordinator", 0)](const std::string& line) {
      LogToFile(path)(line);
    };
    CONVOY_ASSIGN_OR_RETURN(coordinator_,
                            ::convoy::StartCoordinator(job_, options, [](const std::string&) {}));
    const bool shown = job_.cluster().metrics_port() > 0 || !where_.empty();
    const LogFunction log =
        shown ? LogToFile(directory_.LogPath("coordinator", 0)) : [](const std::string&) {};
    metrics_ = ServeCoordinatorMetrics(job_, *coordinator_, log);
    dashboard_ = ServeDashboard(where_, job_, *coordinator_, log);
    processes_.push_back({"coordinator", 0, getpid(), coordinator_->address(), ""});
    return coordinator_->address();
  }

  absl::Status StartOthers(const std::string& coordinator) override {
    const Mode mode = *ParseMode(job_.training().mode());
    const auto [servers, workers] = ClusterSizeOf(job_);
    for (uint32_t i = 0; i < servers; ++i) {
      ServerOptions server;
      server.coordinator = coordinator;
      server.rank = static_cast<int>(i);
      server.threads = ThreadsPerServer(job_.cluster());
      server.spin_us = job_.cluster().spin_us();
      server.log = LogToFile(directory_.LogPath("server", server.rank));
      Start("server", server.rank, {i, 1}, [server] { return RunServer(server); });
    }
    const uint32_t cores = ThreadsPerWorker(job_);
    for (uint32_t i = 0; i < workers; ++i) {
      WorkerOptions worker;
      if (mode.single()) {
        worker.model_file = directory_.model_path();
        worker.tables = MakeSingleTables;
      }
      worker.coordinator = coordinator;
      worker.rank = static_cast<int>(i);
      worker.models = models_;
      worker.log = LogToFile(directory_.LogPath("worker", worker.rank));
      Start("worker", worker.rank, {servers + i * cores, cores},
            [worker] { return RunWorker(worker); });
    }
    return absl::OkStatus();
  }

  std::string dashboard_url() const override {
    return dashboard_ == nullptr ? "" : dashboard_->url();
  }
  std::vector<ClusterProcess> processes() const override { return processes_; }

  std::optional<Failure> FirstFailure() const override {
    MutexLock lock(mutex_);
    return failure_;
  }

  bool WaitUntilAllExited(absl::Duration timeout) override {
    const absl::Time deadline = SteadyNow() + timeout;
    MutexLock lock(mutex_);
    while (running_ > 0) {
      const absl::Duration left = deadline - SteadyNow();
      if (left <= absl::ZeroDuration()) return false;
      changed_.WaitFor(mutex_, left);
    }
    return true;
  }

  // The coordinator is none of those that are waited for.
  bool WaitUntilOthersExited(absl::Duration timeout) override {
    return WaitUntilAllExited(timeout);
  }

  std::vector<Failure> Failures() const override {
    const std::optional<Failure> first = FirstFailure();
    return first ? std::vector<Failure>{*first} : std::vector<Failure>();
  }
  // Threads can't be ended one by one.
  void Forgive(pid_t) override {}
  void NoteRanks(const google::protobuf::RepeatedPtrField<v1::ProcessInfo>&) override {}
  absl::Status StartWorkers(uint32_t) override { return absl::OkStatus(); }  // they are fixed
  absl::Status ReplaceCoordinator() override {
    return absl::UnimplementedError("the coordinator is a thread of this process");
  }
  absl::Status ReplaceWorker(int) override {
    return absl::FailedPreconditionError("--in-process: a worker can't be replaced");
  }
  void Signal(pid_t, int) override {}
  // Threads can't be ended from outside: they are told that the job has failed, and leave.
  void Stop() override {
    if (coordinator_ == nullptr) return;
    coordinator_->Fail("the launcher stops");
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    metrics_.reset();
    dashboard_.reset();
    coordinator_.reset();
  }

  void Kill() override { std::_Exit(128 + SIGINT); }

 private:
  // cluster.pin_cores: number of the first, and how many.
  struct Cores {
    uint32_t first, count;
  };

  void Start(const std::string& role, int rank, Cores cores, std::function<absl::Status()> run) {
    processes_.push_back({role, rank, getpid(), "", RunDirectory::LogName(role, rank)});
    {
      MutexLock lock(mutex_);
      ++running_;
    }
    threads_.emplace_back([this, role, rank, cores, run = std::move(run)] {
      pthread_setname_np(pthread_self(), absl::StrCat(role, "-", rank).c_str());
      absl::Status status =
          job_.cluster().pin_cores() ? PinToCores(cores.first, cores.count) : absl::OkStatus();
      if (status.ok()) status = run();
      MutexLock lock(mutex_);
      if (!status.ok() && !failure_) {
        failure_ =
            Failure{absl::StrCat(role, " ", rank, ": ", std::string(status.message())), 1, false};
      }
      --running_;
      changed_.NotifyAll();
    });
  }

  const v1::Job job_;
  const RunDirectory& directory_;
  const ResumeFrom resume_;
  const std::string where_;  // the dashboard is to be
  const std::span<const ModelRegistration> models_;
  std::vector<ClusterProcess> processes_;
  std::unique_ptr<CoordinatorService> coordinator_;
  std::unique_ptr<HttpServer> metrics_;
  std::unique_ptr<Dashboard> dashboard_;

  mutable Mutex mutex_;
  CondVar changed_;
  int running_ CONVOY_GUARDED_BY(mutex_) = 0;
  std::optional<Failure> failure_ CONVOY_GUARDED_BY(mutex_);

  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<JobProcesses> MakeInProcess(const v1::Job& job, const RunDirectory& directory,
                                            const ResumeFrom& resume, const std::string& dashboard,
                                            std::span<const ModelRegistration> models) {
  return std::make_unique<InProcess>(job, directory, resume, dashboard, models);
}

}  // namespace convoy
