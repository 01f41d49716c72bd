// `convoy train`: finds out what is to be started, new or going on; training_run.h does it.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/cluster_size.h"
#include "common/job/job_file.h"
#include "common/mode.h"
#include "common/rehearsal/rehearsal.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/coordinator_pages.h"
#include "launcher/commands/custom_model_program.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/pinned_init.h"
#include "launcher/commands/resume.h"
#include "launcher/commands/role_environment.h"
#include "launcher/commands/training_run.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "launcher/process/admission.h"

namespace convoy {
namespace {

struct TrainOptions {
  JobOptions job;
  std::string run_dir;  // empty: a new one under runs/
  std::string resume;   // "": no, "yes", or "auto": if there is a run
  bool allow_changes = false;
  bool in_process = false;
  std::string dashboard;  // [HOST:]PORT; "": none
  std::string program;    // as the user called it
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

absl::Status RefuseChanges(std::vector<std::string> changes) {
  constexpr size_t kShown = 8;
  if (changes.size() > kShown + 1) {
    const size_t more = changes.size() - kShown;
    changes.resize(kShown);
    changes.push_back(absl::StrCat("and ", more, " more"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the job is not the one that the run was begun with:\n  ", absl::StrJoin(changes, "\n  "),
      "\nchange it back, or go on all the same with --allow-changes; to begin another training "
      "with "
      "these weights use --init-from"));
}

// A job that was killed before its first checkpoint begins with the weights it began with.
absl::Status BeginAnew(PreparedRun* run) {
  KeepPinnedInitOf(run->directory->job_path(), &run->job);
  if (RunIsComplete(run->directory->path(), run->job)) return absl::OkStatus();
  return PinInit(&run->job);
}

// The slices are those of the checkpoint, unless the job says otherwise itself.
absl::Status GoOn(const TrainOptions& options, const v1::Job& written, PreparedRun* run) {
  const std::string& path = run->directory->path();
  CONVOY_ASSIGN_OR_RETURN(const FoundResumePoint found, FindResumePoint(path));
  for (const std::string& damaged : found.damaged) {
    std::fprintf(stderr, "convoy: warning: %s\n", damaged.c_str());
  }
  CONVOY_ASSIGN_OR_RETURN(run->resume.earlier.generation, HighestGeneration(path));
  if (!found.point) {
    std::printf("note: there is no checkpoint in %s yet: the training begins anew\n", path.c_str());
    return BeginAnew(run);
  }
  if (!written.training().has_slices()) {
    run->job.mutable_training()->set_slices(found.point->manifest.slices);
  }
  CONVOY_ASSIGN_OR_RETURN(const v1::Job was, JobOfCheckpoint(found.point->manifest));
  KeepPinnedInit(was, &run->job);
  CONVOY_RETURN_IF_ERROR(CheckSameSteps(found.point->manifest, was, run->job));
  CONVOY_ASSIGN_OR_RETURN(const std::vector<std::string> changes,
                          ChangesOfJob(found.point->manifest, run->job));
  if (!changes.empty() && !options.allow_changes) return RefuseChanges(changes);
  for (const std::string& change : changes) std::printf("note: changed: %s\n", change.c_str());
  if (const std::string note = NoteOnSchedule(found.point->manifest, run->job); !note.empty())
    std::printf("note: %s\n", note.c_str());
  run->resume.checkpoint = found.point->folder;
  run->resume.examples = found.point->manifest.examples;
  run->resume.allow_changes = options.allow_changes;
  return absl::OkStatus();
}

// Nothing is left if this process is killed.
absl::Status CheckFaultsOfOneProcess(const v1::Rehearsal& rehearsal) {
  CONVOY_ASSIGN_OR_RETURN(const RehearsalPlan plan, RehearsalOf(rehearsal));
  for (const Fault& fault : plan.faults) {
    if (!fault.OfProcess()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("rehearsal.fault: \"", ToString(fault),
                     "\" needs processes to hit, and all roles run in this one: leave out "
                     "--in-process"));
  }
  return absl::OkStatus();
}

// Flags that make another job than the file says, but for the mode.
bool HasFlags(const JobOptions& job) {
  const bool fields = job.fields.size() > job.fields.count("training.mode");
  return fields || !job.lists.empty() || !job.set.empty();
}

absl::StatusOr<PreparedRun> Prepare(const TrainOptions& options,
                                    std::span<const ModelRegistration> models) {
  CONVOY_ASSIGN_OR_RETURN(const v1::Job written, LoadWrittenJob(options.job));
  PreparedRun run;
  run.job = ResolveDefaults(written);
  run.in_process = options.in_process || ParseMode(run.job.training().mode())->single();
  run.dashboard = options.dashboard;
  run.program = options.program;
  run.job_path = options.job.path;
  CONVOY_RETURN_IF_ERROR(CheckModelIsHere(run.job.model(), models, "", ""));
  if (run.in_process) CONVOY_RETURN_IF_ERROR(CheckFaultsOfOneProcess(run.job.rehearsal()));
  if (run.in_process && run.job.cluster().on_worker_loss() == v1::Cluster::CONTINUE) {
    return absl::InvalidArgumentError(
        "cluster.on_worker_loss: CONTINUE needs worker processes that can be lost, and all roles "
        "run "
        "in this one: leave out --in-process");
  }
  if (options.resume.empty()) {
    CONVOY_RETURN_IF_ERROR(PinInit(&run.job));
    CONVOY_ASSIGN_OR_RETURN(run.directory,
                            options.run_dir.empty()
                                ? RunDirectory::CreateDefault(run.job.name(), absl::Now())
                                : RunDirectory::Create(options.run_dir));
    return run;
  }
  if (options.run_dir.empty()) {
    return absl::InvalidArgumentError(
        "--resume goes with --run-dir, the folder of the run to go on with");
  }
  absl::StatusOr<std::unique_ptr<RunDirectory>> earlier = RunDirectory::Open(options.run_dir);
  if (absl::IsNotFound(earlier.status()) && options.resume == "auto") {
    CONVOY_RETURN_IF_ERROR(PinInit(&run.job));
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
  if (absl::Status status = CheckDashboard(options.dashboard); !status.ok())
    return Fail(status, kExitBadUsage);
  absl::StatusOr<PreparedRun> run = Prepare(options, models);
  if (!run.ok()) return Fail(run.status(), kExitBadUsage);
  const std::string& path = run->directory->path();
  // The same job without the flags is the one that was resolved.
  if (HasFlags(options.job)) run->job_path = run->directory->job_path();
  if (!options.resume.empty() && RunIsComplete(path, run->job)) {
    std::printf("the run in %s is complete: nothing is left to do. %s\n", path.c_str(),
                run->job.training().has_early_stopping()
                    ? "To go on: more epochs (--epochs N), or, if it was stopped early, a larger "
                      "training.early_stopping.patience"
                    : "More epochs: --epochs N");
    return kExitDone;
  }
  TurnSpinningOffIfCrowded(&run->job);
  return RunTraining(*std::move(run), models);
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
  command
      ->add_flag(
          "--resume{yes}", options->resume,
          "Go on with the run in --run-dir from its newest checkpoint; --resume=auto: begin if "
          "there is no run yet")
      ->check(CLI::IsMember({"yes", "auto"}));
  command
      ->add_flag("--allow-changes", options->allow_changes,
                 "With --resume: go on although the job has changed")
      ->needs("--resume");
  AddDashboardOption(command, &options->dashboard);
  command->add_flag("--in-process", options->in_process,
                    "All roles as threads of this process, for debuggers and small jobs");
}

}  // namespace convoy
