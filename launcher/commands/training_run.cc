#include "launcher/commands/training_run.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/cluster_size.h"
#include "common/files/atomic_file.h"
#include "common/job/job_file.h"
#include "common/monitoring/metrics_ports.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "common/net/host_name.h"
#include "common/rehearsal/rehearsal.h"
#include "common/status.h"
#include "launcher/commands/exit_code.h"
#include "launcher/process/admission.h"
#include "launcher/process/advice.h"
#include "launcher/process/progress_display.h"
#include "launcher/process/results_table.h"
#include "launcher/process/signals.h"

namespace convoy {
namespace {

constexpr absl::Duration kLook =
    absl::Milliseconds(200);  // longest time between two looks at the job
constexpr absl::Duration kCoordinatorSilence = absl::Seconds(10);
constexpr absl::Duration kLeaveTimeout = absl::Seconds(5);  // for processes to leave after the end

class TrainingRun {
 public:
  explicit TrainingRun(PreparedRun prepared)
      : prepared_(std::move(prepared)),
        job_(prepared_.job),
        directory_(prepared_.directory.get()),
        display_(ProgressDisplay::OptionsFor(STDOUT_FILENO, std::getenv("TERM"),
                                             std::getenv("NO_COLOR"))) {}

  int Run(std::span<const ModelRegistration> models) {
    absl::StatusOr<std::unique_ptr<StopSignals>> signals =
        StopSignals::Start([this](int, StopUrgency urgency) { OnSignal(urgency); });
    if (!signals.ok()) return Fail(signals.status());
    absl::Status status = Start(models);
    if (status.ok()) status = Watch();
    const int code = Finish(status);
    const int signal = (*signals)->first_signal();
    signals->reset();  // no callback runs beyond this point
    MutexLock lock(mutex_);
    client_.reset();
    return signal != 0 ? ExitCodeOfSignal(signal) : code;
  }

 private:
  absl::Status Start(std::span<const ModelRegistration> models) {
    CONVOY_RETURN_IF_ERROR(directory_->RemoveSummary());
    CONVOY_RETURN_IF_ERROR(directory_->WriteJob(JobToText(job_)));
    CONVOY_RETURN_IF_ERROR(PrepareMetrics());
    std::shared_ptr<JobProcesses> processes;
    if (prepared_.in_process) {
      processes = MakeInProcess(job_, *directory_, prepared_.resume, prepared_.dashboard, models);
    } else {
      CONVOY_ASSIGN_OR_RETURN(
          processes, MakeChildProcesses(job_, *directory_, prepared_.resume, prepared_.dashboard));
    }
    {
      MutexLock lock(mutex_);
      processes_ = processes;
    }
    CONVOY_ASSIGN_OR_RETURN(const std::string address, processes->StartCoordinator());
    CoordinatorClient::Options client;
    client.address = address;
    client.wait = kLook;
    client.unreachable_after = absl::Seconds(1);
    CONVOY_ASSIGN_OR_RETURN(std::shared_ptr<CoordinatorClient> connected,
                            CoordinatorClient::Connect(client));
    {
      MutexLock lock(mutex_);
      client_ = std::move(connected);
    }
    CONVOY_RETURN_IF_ERROR(processes->StartOthers(address));
    cluster_ = processes->processes();
    cluster_[0].address = address;
    CONVOY_RETURN_IF_ERROR(directory_->WriteCluster(job_.name(), cluster_));
    display_.Print(absl::StrCat("job \"", job_.name(), "\", mode ", job_.training().mode(),
                                ", run directory ", directory_->path()));
    for (const ClusterProcess& process : cluster_) {
      display_.Print(
          absl::StrCat("  ", process.role, " ", process.rank, "  pid ", process.pid,
                       process.log.empty() ? "" : "  " + directory_->path() + "/" + process.log));
    }
    if (!prepared_.dashboard.empty()) {
      const std::string url = processes->dashboard_url();
      display_.Print(url.empty() ? absl::StrCat("warning: there is no dashboard; ",
                                                directory_->LogPath("coordinator", 0), " says why")
                                 : absl::StrCat("dashboard: ", url));
    }
    CONVOY_ASSIGN_OR_RETURN(const RehearsalPlan rehearsal, RehearsalOf(job_.rehearsal()));
    for (const std::string& what : Describe(rehearsal)) {
      display_.Print(absl::StrCat("rehearsal: ", what));
    }
    const auto [servers, workers] = ClusterSizeOf(job_);
    const std::string advice = CoresAdvice(servers, workers, ThreadsPerWorker(job_), UsableCores());
    if (!advice.empty()) display_.Print(absl::StrCat("note: ", advice));
    return absl::OkStatus();
  }

  absl::Status PrepareMetrics() {
    if (job_.cluster().metrics_port() == 0) return absl::OkStatus();
    const std::vector<std::string> busy = BusyMetricsPorts(job_);
    if (!busy.empty()) {
      display_.Print(absl::StrCat(
          "warning: ports of cluster.metrics_port are in use: ", absl::StrJoin(busy, ", "),
          ". The job goes on without the metrics of these processes"));
    }
    const std::string targets = directory_->path() + "/metrics_targets.json";
    CONVOY_RETURN_IF_ERROR(WriteFileAtomically(targets, MetricsTargets(job_, HostName())));
    display_.Print(absl::StrCat("metrics for Prometheus: ", targets, " has the addresses"));
    return absl::OkStatus();
  }

  // Until the job has ended.
  absl::Status Watch() {
    uint64_t events_seen = 0, seen = 0;
    absl::Time last_heard = absl::Now();
    for (;;) {
      const absl::StatusOr<v1::GetProgressReply> progress =
          Client()->GetProgress(events_seen, seen);
      if (!progress.ok()) {
        // Most likely the coordinator, or something else, has died; else it gets some more time.
        if (const auto failure = Processes()->FirstFailure())
          return absl::AbortedError(failure->description);
        if (absl::Now() - last_heard > kCoordinatorSilence) return progress.status();
        continue;
      }
      last_heard = absl::Now();
      events_seen = progress->events_seen();
      seen = progress->sequence();
      CONVOY_RETURN_IF_ERROR(Show(*progress));
      if (progress->phase() == v1::DONE || progress->phase() == v1::FAILED) {
        if (!progress->summary().empty())
          CONVOY_RETURN_IF_ERROR(directory_->WriteSummary(progress->summary()));
        summary_ = progress->summary();
        return progress->phase() == v1::DONE ? absl::OkStatus()
                                             : absl::AbortedError(progress->failure());
      }
      // A process that was killed could not tell the coordinator.
      if (const auto failure = Processes()->FirstFailure(); failure && !reported_) {
        reported_ = true;
        Client()
            ->Stop("the launcher", failure->description.substr(0, failure->description.find('\n')))
            .IgnoreError();
      }
    }
  }

  absl::Status Show(const v1::GetProgressReply& progress) {
    if (progress.has_job() && !job_is_final_) {
      job_is_final_ = true;
      job_ = progress.job();
      CONVOY_RETURN_IF_ERROR(directory_->WriteJob(JobToText(job_)));
      if (progress.memory().host_bytes() > 0) display_.Print(MemoryLine(progress.memory()));
    }
    if (progress.phase() != v1::STARTING && !cluster_is_final_) {
      cluster_is_final_ = true;
      for (const v1::ProcessInfo& info : progress.processes()) {
        for (ClusterProcess& process : cluster_) {
          const bool same = process.role == (info.role() == v1::SERVER ? "server" : "worker") &&
                            process.rank == static_cast<int>(info.rank());
          if (same) process.address = info.address();
        }
      }
      CONVOY_RETURN_IF_ERROR(directory_->WriteCluster(job_.name(), cluster_));
    }
    for (; notes_shown_ < progress.notes_size(); ++notes_shown_) {
      display_.Print(absl::StrCat("note: ", progress.notes(notes_shown_)));
    }
    display_.SetTotals(job_.training().epochs(), progress.total_examples());
    display_.SetWaitingFor(progress.waiting_for(), absl::Now());
    for (const std::string& event : progress.events()) {
      NoteIfUnwritten(directory_->AppendEvent(event));
      CONVOY_RETURN_IF_ERROR(display_.AddEvent(event, absl::Now()));
    }
    display_.Refresh(absl::Now());
    return absl::OkStatus();
  }

  // A disk that is full does not end the training.
  void NoteIfUnwritten(const absl::Status& appended) {
    if (appended.ok() || std::exchange(event_was_lost_, true)) return;
    display_.Print(absl::StrCat("warning: events are lost, the training goes on: ",
                                std::string(appended.message())));
  }

  int Finish(const absl::Status& status) {
    const std::shared_ptr<JobProcesses> processes = Processes();
    std::optional<JobProcesses::Failure> failure;
    if (processes != nullptr) {
      // The coordinator stays until it is told to go.
      if (prepared_.in_process || !status.ok())
        processes->WaitUntilAllExited(status.ok() ? kLeaveTimeout : absl::Seconds(1));
      failure = processes->FirstFailure();
      processes->Stop();
    }
    display_.Finish();
    if (!status.ok()) {
      Fail(status);
      const std::string said(status.message());
      if (failure && said.find(failure->description) == std::string::npos) {
        std::fprintf(stderr, "convoy: %s\n", failure->description.c_str());
      }
      std::fprintf(stderr, "convoy: the run directory is %s\n", directory_->path().c_str());
      return failure ? failure->exit_code : kExitFailed;
    }
    return ShowResults();
  }

  int ShowResults() {
    const absl::StatusOr<std::string> table = RenderResults(summary_);
    if (!table.ok()) return Fail(table.status());
    const v1::Data& named = job_.data();
    const std::string data =
        named.validation().has_path() ? named.validation().path() : named.test().path();
    std::printf("\n%s\n%s", table->c_str(),
                RenderNextCommands(NextCommandsAfterTraining(prepared_.program, prepared_.job_path,
                                                             directory_->path(),
                                                             job_.training().mode(), data))
                    .c_str());
    const std::string advice = SingleProcessAdvice(
        summary_, absl::StrCat(prepared_.program, " train ", prepared_.job_path));
    if (!advice.empty()) std::printf("\n%s", advice.c_str());
    std::fflush(stdout);
    return WasStopped(summary_) ? kExitStopped : kExitDone;
  }

  void OnSignal(StopUrgency urgency) {
    const std::shared_ptr<JobProcesses> processes = Processes();
    const std::shared_ptr<CoordinatorClient> client = Client();
    if (urgency == StopUrgency::kOrderly && client != nullptr) {
      std::fprintf(
          stderr,
          "\nconvoy: stopping in order and saving the weights; once more to stop at once\n");
      if (client->Stop("signal").ok()) return;
    }
    if (processes != nullptr) processes->Kill();
  }

  std::shared_ptr<JobProcesses> Processes() const {
    MutexLock lock(mutex_);
    return processes_;
  }
  std::shared_ptr<CoordinatorClient> Client() const {
    MutexLock lock(mutex_);
    return client_;
  }

  const PreparedRun prepared_;
  v1::Job job_;
  RunDirectory* const directory_;
  ProgressDisplay display_;
  std::vector<ClusterProcess> cluster_;
  int notes_shown_ = 0;
  bool job_is_final_ = false, cluster_is_final_ = false, reported_ = false;
  bool event_was_lost_ = false;
  std::string summary_;

  mutable Mutex mutex_;  // the thread of the signals looks too
  std::shared_ptr<JobProcesses> processes_ CONVOY_GUARDED_BY(mutex_);
  std::shared_ptr<CoordinatorClient> client_ CONVOY_GUARDED_BY(mutex_);
};

}  // namespace

int RunTraining(PreparedRun prepared, std::span<const ModelRegistration> models) {
  return TrainingRun(std::move(prepared)).Run(models);
}

}  // namespace convoy
