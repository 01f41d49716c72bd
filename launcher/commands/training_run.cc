#include "launcher/commands/training_run.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/clock.h"
#include "common/job/job_file.h"
#include "common/net/coordinator_client.h"
#include "common/rehearsal/rehearsal.h"
#include "common/status.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/next_life.h"
#include "launcher/commands/replacements.h"
#include "launcher/commands/run_control.h"
#include "launcher/commands/run_life.h"
#include "launcher/commands/run_results.h"
#include "launcher/commands/run_screen.h"
#include "launcher/process/fault_injector.h"
#include "launcher/process/restart_policy.h"
#include "launcher/process/signals.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

constexpr absl::Duration kLook =
    absl::Milliseconds(200);  // longest time between two looks at the job
constexpr absl::Duration kLeaveTimeout = absl::Seconds(5);  // for processes to leave after the end

class TrainingRun {
 public:
  explicit TrainingRun(PreparedRun prepared)
      : prepared_(std::move(prepared)),
        directory_(prepared_.directory.get()),
        policy_(prepared_.in_process ? 0 : prepared_.job.cluster().max_restarts()),
        faults_(RehearsalOf(prepared_.job.rehearsal()).value().faults),  // valid: it was checked
        resume_(prepared_.resume),
        dashboard_(prepared_.dashboard),
        screen_(directory_),
        replacements_(!prepared_.in_process && prepared_.job.cluster().max_restarts() > 0,
                      &control_, &policy_, &screen_) {}

  int Run(std::span<const ModelRegistration> models) {
    absl::StatusOr<std::unique_ptr<StopSignals>> signals =
        StopSignals::Start([this](int, StopUrgency urgency) { control_.Stop(urgency); });
    if (!signals.ok()) return Fail(signals.status());
    const RunDirectory::Papers before = directory_->ReadPapers();
    absl::Status status = directory_->RemoveSummary();
    if (status.ok()) screen_.ShowMetrics(prepared_.job, /*running=*/false);
    bool again = status.ok();
    while (again) {
      status = Start(models);
      if (status.ok()) status = Watch();
      again = !status.ok() && StartsAgain(&status);
    }
    WriteSummary(&status);
    // One that was refused, or failed before its first step, has not become the run's job.
    const ResumeFrom& began = prepared_.resume;
    if (!status.ok() && !began.checkpoint.empty() && examples_ <= began.examples)
      directory_->PutBack(before).IgnoreError();
    const int code = Finish(status);
    const int signal = (*signals)->first_signal();
    if (status.ok() || signal != 0) screen_.ForgetMetrics();
    signals->reset();  // no callback runs beyond this point
    return signal != 0 ? ExitCodeOfSignal(signal) : code;
  }

 private:
  // ---------------------------------------------------------------------------- one life

  absl::Status Start(std::span<const ModelRegistration> models) {
    const v1::Job& job = prepared_.job;
    life_ = {};
    // A later life has that of the first, and the coordinator will say it again.
    const absl::Status written = directory_->WriteJob(JobToText(job));
    if (resume_.earlier.restarts == 0) CONVOY_RETURN_IF_ERROR(written);
    std::shared_ptr<JobProcesses> processes;
    if (prepared_.in_process) {
      processes = MakeInProcess(job, *directory_, resume_, dashboard_, models);
    } else {
      CONVOY_ASSIGN_OR_RETURN(processes, MakeChildProcesses(job, *directory_, resume_, dashboard_,
                                                            [this] { control_.OnExit(); }));
    }
    if (!control_.SetProcesses(processes)) return StoppedMeanwhile();
    CONVOY_ASSIGN_OR_RETURN(const std::string address, processes->StartCoordinator());
    CONVOY_RETURN_IF_ERROR(Connect(address));
    CONVOY_RETURN_IF_ERROR(processes->StartOthers(address));
    CONVOY_RETURN_IF_ERROR(screen_.BeginLife(job, *processes, address, prepared_.dashboard));
    // A page that is open in a browser is found again after a restart.
    if (const std::string url = processes->dashboard_url(); !url.empty())
      dashboard_ = AddressOfUrl(url);
    return absl::OkStatus();
  }

  absl::Status Connect(const std::string& coordinator) {
    CoordinatorClient::Options options;
    options.address = coordinator;
    options.wait = kLook;
    options.unreachable_after = absl::Seconds(1);
    const absl::Time give_up = SteadyNow() + kCoordinatorSilence;
    for (;;) {
      absl::StatusOr<std::shared_ptr<CoordinatorClient>> client =
          CoordinatorClient::Connect(options);
      if (client.ok()) {
        control_.SetClient(*std::move(client));
        return absl::OkStatus();
      }
      // On a machine that is very busy a second may be too short.
      life_.silent = SteadyNow() > give_up;
      if (life_.silent || Processes()->FirstFailure() || !MayStartAgain()) return client.status();
    }
  }

  // Until the job has ended, or a process is lost.
  absl::Status Watch() {
    absl::Time last_heard = SteadyNow();
    for (;;) {
      bool is_given_up = life_.reported;
      if (const auto failure = Processes()->FirstFailure(); failure && !life_.reported) {
        const absl::StatusOr<bool> goes_on = replacements_.GoesOn(examples_);
        life_.failed_by_loss |= !goes_on.ok();
        CONVOY_RETURN_IF_ERROR(goes_on.status());
        if (*goes_on) {
          last_heard = SteadyNow();
          continue;
        }
        if (failure->killed && MayStartAgain()) return LastLook(*failure);
        TellFailure(failure->description.substr(0, failure->description.find('\n')));
        is_given_up = true;
      }
      for (const FaultInjector::Signal& end : faults_.Ends(SteadyNow())) Send(end);
      const absl::StatusOr<v1::GetProgressReply> progress =
          Client()->GetProgress(life_.events_seen, life_.seen);
      if (absl::IsCancelled(progress.status())) continue;
      if (!progress.ok()) {
        // Something has died, or the coordinator is slow and gets some more time.
        const auto failure = Processes()->FirstFailure();
        if (!failure && Processes()->WaitUntilAllExited(absl::ZeroDuration())) {
          // They were told to, or have left after the end.
          return absl::CancelledError(absl::StrCat(
              "the processes of the job have ended; the same command with --resume --run-dir ",
              directory_->path(), " goes on"));
        }
        const bool is_silent = SteadyNow() - last_heard > kCoordinatorSilence;
        const bool nobody_answers =
            failure && (failure->killed || failure->coordinator || life_.reported || is_silent ||
                        replacements_.NobodyIsLeft());
        if (is_given_up && nobody_answers) return absl::AbortedError(failure->description);
        if (failure || !is_silent) continue;
        if (!replacements_.KillSilentCoordinator()) {
          life_.silent = true;
          return progress.status();
        }
        last_heard = SteadyNow();
        continue;
      }
      last_heard = SteadyNow();
      CONVOY_RETURN_IF_ERROR(Follow(*progress));
      TellStop(*progress);
      if (progress->phase() == v1::DONE) return absl::OkStatus();
      if (progress->phase() == v1::FAILED) return absl::AbortedError(progress->failure());
    }
  }

  // The user's wish may have come while the coordinator was away.
  void TellStop(const v1::GetProgressReply& progress) {
    const bool ended = progress.phase() == v1::DONE || progress.phase() == v1::FAILED;
    if (control_.stop_wanted() && !stopping_ && !ended) Client()->Stop("signal").IgnoreError();
  }

  // A process is gone: how far the job was, or whether it was done already.
  absl::Status LastLook(const JobProcesses::Failure& failure) {
    const absl::Status lost = absl::AbortedError(failure.description);
    if (failure.coordinator) return lost;
    const auto progress = Client()->GetProgress(life_.events_seen, /*seen=*/0);
    if (!progress.ok()) return lost;
    CONVOY_RETURN_IF_ERROR(Follow(*progress));
    return progress->phase() == v1::DONE ? absl::OkStatus() : lost;
  }

  absl::Status Follow(const v1::GetProgressReply& progress) {
    life_.events_seen = progress.events_seen();
    life_.seen = progress.sequence();
    CONVOY_RETURN_IF_ERROR(screen_.Show(progress));
    CONVOY_RETURN_IF_ERROR(FollowWorkers(progress));
    examples_ = std::max(examples_, progress.examples());
    stopping_ = progress.stopping();
    life_.failed_by_loss = progress.restorable();
    EarlierLives& earlier = resume_.earlier;
    earlier.generation = std::max(earlier.generation, progress.generation());
    life_.generation_heard |= progress.generation() > 0;
    if (const v1::JobFigures& figures = progress.figures(); figures.training_ms() > 0) {
      const auto trained = absl::Milliseconds(figures.now_ms() - figures.training_ms());
      earlier.training_start = std::min(earlier.training_start, SteadyNow() - trained);
    }
    // One that does not answer any more makes room for another one.
    for (const v1::ProcessInfo& process : progress.processes()) {
      if (process.lost().empty()) continue;
      Processes()->Signal(static_cast<pid_t>(process.pid()), SIGKILL);
    }
    if (progress.phase() == v1::TRAINING) return Inject(progress);
    if (progress.phase() == v1::DONE || progress.phase() == v1::FAILED)
      life_.summary = progress.summary();
    return absl::OkStatus();
  }

  // Their number may change while the job runs.
  absl::Status FollowWorkers(const v1::GetProgressReply& progress) {
    Processes()->NoteRanks(progress.processes());
    if (!progress.has_job()) return absl::OkStatus();
    v1::Job& job = prepared_.job;
    const uint32_t workers = progress.job().cluster().workers();
    const bool changed = workers != job.cluster().workers();
    if (changed) {
      job.mutable_cluster()->set_workers(workers);
      // They do not follow the workers.
      job.mutable_training()->set_slices(progress.job().training().slices());
      screen_.ShowMetrics(job, /*running=*/true);
    }
    if (!changed && progress.wanted_workers() == 0) return absl::OkStatus();
    CONVOY_RETURN_IF_ERROR(Processes()->StartWorkers(progress.wanted_workers()));
    screen_.ProcessesChanged(*Processes());
    return absl::OkStatus();
  }

  // rehearsal.fault: what is due.
  absl::Status Inject(const v1::GetProgressReply& progress) {
    if (!faults_.any()) return absl::OkStatus();
    for (const FaultInjector::Signal& due : faults_.Due(progress.figures().step(), SteadyNow())) {
      Send(due);
      if (due.number != SIGCONT) CONVOY_RETURN_IF_ERROR(screen_.NoteFault(due.fault, progress));
    }
    return absl::OkStatus();
  }

  void Send(const FaultInjector::Signal& signal) {
    for (const ClusterProcess& process : Processes()->processes()) {
      if (process.role == signal.role && process.rank == signal.rank)
        Processes()->Signal(static_cast<pid_t>(process.pid), signal.number);
    }
  }

  // Something that the coordinator can't know.
  void TellFailure(const std::string& failure) {
    life_.reported = Client()->Stop("the launcher", failure).ok();
  }

  // ---------------------------------------------------------------------------- restarts

  // After a life in which the job did not end well. If false, `status` says why it ends with that.
  bool StartsAgain(absl::Status* status) {
    const std::optional<Loss> loss = LossOf(*status);
    if (!loss) return false;
    const RestartPolicy::Decision decision = policy_.OnLoss(*loss);
    if (decision.remedy == RestartPolicy::Remedy::kGiveUp) {
      *status = GiveUp(*loss, decision.text, *status);
      return false;
    }
    const NextLife next{loss->cause, decision.text, AboutLost(*Processes()), decision.delay};
    resume_.earlier.restarts = policy_.restarts();
    resume_.earlier.cause = loss->cause;
    EndLife();
    *status =
        Annotate(PrepareNextLife(next, *directory_, life_.generation_heard, &resume_, &screen_),
                 absl::StrCat(next.why, "; it can't start again"));
    if (!status->ok()) return false;
    if (!control_.WaitUnlessStopped(next.delay)) {
      life_.summary.clear();  // that of the life that failed is not the run's
      *status = StoppedMeanwhile();
      return false;
    }
    return true;
  }

  // Not a job that was asked to stop: it ends, and goes on with --resume.
  bool MayStartAgain() const {
    return !prepared_.in_process && !stopping_ && !control_.stop_wanted();
  }

  // What the life that has ended with `status` lost; nothing: it has ended for another reason, or
  // none may follow.
  std::optional<Loss> LossOf(const absl::Status& status) const {
    const std::shared_ptr<JobProcesses> processes = Processes();
    if (processes == nullptr || !MayStartAgain()) return std::nullopt;
    return FindLoss(life_, status, examples_, processes.get());
  }

  // The job fails, and its summary says so if there still is a coordinator. Returns why.
  absl::Status GiveUp(const Loss& loss, const std::string& why, const absl::Status& status) {
    const std::string text = why.empty() ? loss.cause : absl::StrCat(loss.cause, "; ", why);
    if (const auto failure = Processes()->FirstFailure();
        failure && failure->killed && !failure->coordinator && Client() != nullptr) {
      TellFailure(why.empty() ? failure->description.substr(0, failure->description.find('\n'))
                              : text);
      Watch().IgnoreError();  // it fails as it was told to
    }
    return why.empty() ? status : absl::AbortedError(text);
  }

  void EndLife() {
    const std::shared_ptr<JobProcesses> processes = control_.TakeProcesses();
    processes->Kill();
    processes->Stop();
    screen_.EndLife();
    faults_.Forget();
  }

  absl::Status StoppedMeanwhile() const {
    return absl::CancelledError(absl::StrCat(
        "stopped while the processes were starting; the same command with --resume --run-dir ",
        directory_->path(), " goes on ",
        resume_.checkpoint.empty() ? "from the beginning" : "from " + resume_.checkpoint));
  }

  // ---------------------------------------------------------------------------- the end

  // When no other life follows: whoever sees the file takes the run as ended. How a job has failed
  // is said in any case.
  void WriteSummary(absl::Status* status) {
    if (life_.summary.empty()) return;
    const absl::Status written = directory_->WriteSummary(life_.summary);
    if (written.ok()) return;
    const std::string why(written.message());
    if (!status->ok())
      return screen_.Print(absl::StrCat("warning: there is no summary.json: ", why));
    *status =
        absl::Status(written.code(),
                     absl::StrCat("the training has ended and its weights are in ",
                                  directory_->model_path(), ", but there is no summary.json: ", why,
                                  "; the same command with --resume writes it"));
  }

  int Finish(const absl::Status& status) {
    const std::shared_ptr<JobProcesses> processes = Processes();
    std::optional<JobProcesses::Failure> failure;
    if (processes != nullptr) {
      // What they say last of a job that has failed.
      if (prepared_.in_process || !status.ok())
        processes->WaitUntilOthersExited(status.ok() ? kLeaveTimeout : absl::Seconds(1));
      failure = processes->FirstFailure();
    }
    control_.EndJob();
    if (processes != nullptr) processes->Stop();
    // Of a checkpoint that failed on one server while another one was still writing.
    RemoveTemporaries(directory_->checkpoints_path()).status().IgnoreError();
    std::error_code ignored;
    std::filesystem::remove(directory_->journal_path(), ignored);
    screen_.Finish();
    if (!status.ok()) {
      Fail(status);
      const std::string said(status.message());
      // A process that ends because the job has failed often says the same once more.
      const bool is_news = failure && said.find(failure->description) == std::string::npos &&
                           (said.empty() || failure->description.find(said) == std::string::npos);
      if (is_news) {
        std::fprintf(stderr, "convoy: %s\n", failure->description.c_str());
      }
      std::fprintf(stderr, "convoy: the run directory is %s\n", directory_->path().c_str());
      return failure ? failure->exit_code : kExitFailed;
    }
    return ShowRunResults(prepared_, life_.summary, faults_.Missing());
  }

  std::shared_ptr<JobProcesses> Processes() const { return control_.processes(); }
  std::shared_ptr<CoordinatorClient> Client() const { return control_.client(); }

  PreparedRun prepared_;
  RunDirectory* const directory_;
  RestartPolicy policy_;
  FaultInjector faults_;
  ResumeFrom resume_;      // of this life
  std::string dashboard_;  // [HOST:]PORT
  RunScreen screen_;
  RunControl control_;
  Replacements replacements_;
  RunLife life_;           // this one
  uint64_t examples_ = 0;  // how far the job got, in any life
  bool stopping_ = false;  // somebody has asked the coordinator to
};

}  // namespace

int RunTraining(PreparedRun prepared, std::span<const ModelRegistration> models) {
  return TrainingRun(std::move(prepared)).Run(models);
}

}  // namespace convoy
