// `convoy train`: starts the processes of a job, shows its progress, and ends with its results.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/init_source.h"
#include "common/cluster_size.h"
#include "common/files/atomic_file.h"
#include "common/job/job_file.h"
#include "common/mode.h"
#include "common/monitoring/metrics_ports.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "common/net/host_name.h"
#include "common/rehearsal/rehearsal.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/coordinator_pages.h"
#include "launcher/commands/custom_model_program.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/job_processes.h"
#include "launcher/commands/resume.h"
#include "launcher/commands/role_environment.h"
#include "launcher/process/admission.h"
#include "launcher/process/advice.h"
#include "launcher/process/progress_display.h"
#include "launcher/process/results_table.h"
#include "launcher/process/run_directory.h"
#include "launcher/process/signals.h"

namespace convoy {
namespace {

struct TrainOptions {
  JobOptions job;
  std::string run_dir;  // empty: a new one under runs/
  std::string resume;   // "": no, "yes", or "auto": if there is a run
  bool allow_changes = false;
  bool in_process = false;
  std::string dashboard;  // [HOST:]PORT; "": none
  std::string program;  // as the user called it
};

constexpr absl::Duration kLook =
    absl::Milliseconds(200);  // longest time between two looks at the job
constexpr absl::Duration kCoordinatorSilence = absl::Seconds(10);
constexpr absl::Duration kLeaveTimeout = absl::Seconds(5);  // for processes to leave after the end

// A job and where it runs, before anything is started.
struct PreparedRun {
  v1::Job job;
  std::unique_ptr<RunDirectory> directory;
  ResumeFrom resume;
  bool complete = false;  // an earlier run has done all of it
};

class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, PreparedRun prepared)
      : options_(options),
        job_(std::move(prepared.job)),
        directory_(std::move(prepared.directory)),
        resume_(std::move(prepared.resume)),
        in_process_(options.in_process || ParseMode(job_.training().mode())->single()),
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
    CONVOY_RETURN_IF_ERROR(directory_->RemoveCluster());
    CONVOY_RETURN_IF_ERROR(directory_->WriteJob(JobToText(job_)));
    CONVOY_RETURN_IF_ERROR(PrepareMetrics());
    std::shared_ptr<JobProcesses> processes;
    if (in_process_) {
      processes = MakeInProcess(job_, *directory_, resume_, options_.dashboard, models);
    } else {
      CONVOY_ASSIGN_OR_RETURN(processes, MakeChildProcesses(job_, *directory_, resume_, options_.dashboard));
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
    if (!options_.dashboard.empty()) {
      const std::string url = processes->dashboard_url();
      display_.Print(url.empty() ? absl::StrCat("warning: there is no dashboard; ", directory_->LogPath("coordinator", 0), " says why")
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
      display_.Print(absl::StrCat("warning: ports of cluster.metrics_port are in use: ", absl::StrJoin(busy, ", "),
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
      if (in_process_ || !status.ok())
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
                RenderNextCommands(NextCommandsAfterTraining(options_.program, options_.job.path,
                                                             directory_->path(),
                                                             job_.training().mode(), data))
                    .c_str());
    const std::string advice =
        SingleProcessAdvice(summary_, absl::StrCat(options_.program, " train ", options_.job.path));
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

  const TrainOptions& options_;
  v1::Job job_;
  const std::unique_ptr<RunDirectory> directory_;
  const ResumeFrom resume_;
  const bool in_process_;  // mode single is one process by its nature
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

// A thread that spins takes the core from the one it waits for.
void TurnSpinningOffIfCrowded(v1::Job* job) {
  v1::Cluster& cluster = *job->mutable_cluster();
  const ClusterSize size = ClusterSizeOf(*job);
  if (cluster.spin_us() == 0 ||
      size.servers + size.workers * ThreadsPerWorker(*job) <= UsableCores())
    return;
  std::printf("note: cluster.spin_us is off: processes outnumber cores\n");
  std::fflush(stdout);
  cluster.set_spin_us(0);
}

absl::Status RefuseChanges(const std::vector<std::string>& changes) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the job is not the one that the run was begun with:\n  ", absl::StrJoin(changes, "\n  "),
      "\nchange it back, or go on all the same with --allow-changes; to begin another training with "
      "these weights use --init-from"));
}

// The slices are those of the checkpoint, unless the job says otherwise itself.
absl::Status GoOn(const TrainOptions& options, const v1::Job& written, PreparedRun* run) {
  const std::string& path = run->directory->path();
  run->complete = RunIsComplete(path, run->job);
  CONVOY_ASSIGN_OR_RETURN(const FoundResumePoint found, FindResumePoint(path));
  for (const std::string& damaged : found.damaged) {
    std::fprintf(stderr, "convoy: warning: %s\n", damaged.c_str());
  }
  if (!found.point) {
    std::printf("note: there is no checkpoint in %s yet: the training begins anew\n", path.c_str());
    return absl::OkStatus();
  }
  if (!written.training().has_slices()) {
    run->job.mutable_training()->set_slices(found.point->manifest.slices);
  }
  CONVOY_ASSIGN_OR_RETURN(const std::vector<std::string> changes,
                          ChangesOfJob(found.point->manifest, run->job));
  if (!changes.empty() && !options.allow_changes) return RefuseChanges(changes);
  for (const std::string& change : changes) std::printf("note: changed: %s\n", change.c_str());
  run->resume = {found.point->folder, options.allow_changes};
  return absl::OkStatus();
}

// Of a job that begins, not of one that goes on: that needs it no more.
absl::Status CheckInitSource(const v1::Job& job) {
  if (!job.has_init()) return absl::OkStatus();
  return Annotate(FindInitSource(job.init().from()).status(), "init.from");
}

absl::StatusOr<PreparedRun> Prepare(const TrainOptions& options,
                                    std::span<const ModelRegistration> models) {
  CONVOY_ASSIGN_OR_RETURN(const v1::Job written, LoadWrittenJob(options.job));
  PreparedRun run;
  run.job = ResolveDefaults(written);
  CONVOY_RETURN_IF_ERROR(CheckModelIsHere(run.job.model(), models, "", ""));
  if (options.resume.empty()) {
    CONVOY_RETURN_IF_ERROR(CheckInitSource(run.job));
    CONVOY_ASSIGN_OR_RETURN(run.directory,
                            options.run_dir.empty()
                                ? RunDirectory::CreateDefault(run.job.name(), absl::Now())
                                : RunDirectory::Create(options.run_dir));
    return run;
  }
  if (options.run_dir.empty()) {
    return absl::InvalidArgumentError("--resume goes with --run-dir, the folder of the run to go on with");
  }
  absl::StatusOr<std::unique_ptr<RunDirectory>> earlier = RunDirectory::Open(options.run_dir);
  if (absl::IsNotFound(earlier.status()) && options.resume == "auto") {
    CONVOY_RETURN_IF_ERROR(CheckInitSource(run.job));
    CONVOY_ASSIGN_OR_RETURN(run.directory, RunDirectory::Create(options.run_dir));
    return run;
  }
  if (!earlier.ok()) return earlier.status();
  run.directory = *std::move(earlier);
  CONVOY_RETURN_IF_ERROR(GoOn(options, written, &run));
  return run;
}

int RunTrainCommand(const TrainOptions& options, std::span<const ModelRegistration> models) {
  ForgetRoleEnvironment();
  if (absl::Status status = CheckDashboard(options.dashboard); !status.ok()) return Fail(status, kExitBadUsage);
  absl::StatusOr<PreparedRun> run = Prepare(options, models);
  if (!run.ok()) return Fail(run.status(), kExitBadUsage);
  if (run->complete) {
    std::printf("the run in %s is complete: nothing is left to do. More epochs: --epochs N\n",
                run->directory->path().c_str());
    return kExitDone;
  }
  TurnSpinningOffIfCrowded(&run->job);
  return TrainingRun(options, *std::move(run)).Run(models);
}

}  // namespace

void AddTrainCommand(CommandSet& commands) {
  auto options = std::make_shared<TrainOptions>();
  options->program = commands.program;
  CLI::App* command =
      commands.Add<TrainOptions>("train", "Train a job with processes of this machine", options,
                                 [models = commands.models](const TrainOptions& chosen) {
                                   return RunTrainCommand(chosen, models);
                                 });
  AddJobOptions(command, &options->job);
  command
      ->add_option("--run-dir", options->run_dir,
                   "Folder for the results; default: a new one under runs/")
      ->type_name("DIR");
  command->add_flag("--resume{yes}", options->resume,
                    "Go on with the run in --run-dir from its newest checkpoint; --resume=auto: begin if "
                    "there is no run yet")
      ->check(CLI::IsMember({"yes", "auto"}));
  command->add_flag("--allow-changes", options->allow_changes,
                    "With --resume: go on although the job has changed");
  AddDashboardOption(command, &options->dashboard);
  command->add_flag("--in-process", options->in_process,
                    "All roles as threads of this process, for debuggers and small jobs");
}

}  // namespace convoy
