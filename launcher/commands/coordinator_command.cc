#include "launcher/commands/coordinator_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/commit_checkpoint.h"
#include "common/checkpoint/init_plan.h"
#include "common/checkpoint/pruning.h"
#include "common/cluster_size.h"
#include "common/files/file_io.h"
#include "common/job/job_file.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/coordinator_pages.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/model_saver.h"
#include "launcher/commands/pinned_init.h"
#include "launcher/coordinator/journal.h"
#include "launcher/process/admission.h"
#include "launcher/process/results_table.h"
#include "launcher/process/run_directory.h"
#include "launcher/process/signals.h"

namespace convoy {
namespace {

constexpr absl::Duration kForever = absl::Hours(24 * 365);

uint64_t RandomJobId() {
  std::random_device random;
  return (uint64_t{random()} << 32 | random()) | 1;
}

// After the checkpoint of `newest` was committed. What is of a later step was damaged when the job
// went on from an earlier one: it must not count as the newest, in place of those that are good.
absl::Status Prune(const std::string& checkpoints, const v1::Checkpoint& rules,
                   const CheckpointManifest& newest) {
  CONVOY_ASSIGN_OR_RETURN(std::vector<StoredCheckpoint> stored, ListCheckpoints(checkpoints));
  std::erase_if(stored, [&](const auto& checkpoint) { return checkpoint.step > newest.step; });
  PruningRule rule;
  rule.keep_last = rules.keep_last();
  rule.keep_every = rules.keep_every_steps();
  if (newest.best) rule.keep.push_back(newest.best->step);
  CONVOY_ASSIGN_OR_RETURN(const std::vector<uint64_t> pruned, StepsToPrune(stored, rule));
  // The newest first: a change goes before what it is a change of.
  for (auto step = pruned.rbegin(); step != pruned.rend(); ++step) {
    CONVOY_RETURN_IF_ERROR(RemoveCheckpoint(absl::StrCat(checkpoints, "/", CheckpointName(*step))));
  }
  return absl::OkStatus();
}

uint64_t CountLines(const std::string& path) {
  std::ifstream file(path);
  return static_cast<uint64_t>(
      std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
}

// The launcher waits for it.
absl::Status Announce(const std::string& fifo, const std::string& addresses) {
  const OwnedFd fd(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError("cannot tell the launcher the address: cannot open", fifo);
  return WriteAll(fd, addresses + "\n", fifo);
}

// For the launcher: says the address, serves, leaves.
int RunForLauncher(const v1::Job& job, const CoordinatorOptions& options) {
  const LogFunction log = LogToScreenWithoutWaiting();
  absl::StatusOr<std::unique_ptr<CoordinatorService>> service =
      StartCoordinator(job, options, [](const std::string&) {});
  if (!service.ok()) return Fail(service.status());
  log(absl::StrCat("coordinator listens on ", (*service)->address()));
  const std::unique_ptr<HttpServer> metrics = ServeCoordinatorMetrics(job, **service, log);
  const std::unique_ptr<Dashboard> dashboard =
      ServeDashboard(options.dashboard, job, **service, log);
  const std::string addresses = (*service)->address() + (dashboard ? " " + dashboard->url() : "");
  if (absl::Status status = Announce(options.announce, addresses); !status.ok())
    return Fail(status);
  (*service)->WaitUntilEnded(kForever);
  log((*service)->failure().empty() ? "the job is done"
                                    : "the job has failed: " + (*service)->failure());
  // The launcher asks how it ended, be it late (its terminal may be held), and then ends it.
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  for (;;) never.Wait(mutex);
}

// Until the job ends. Returns the exit code if it ended well.
absl::StatusOr<int> Coordinate(const v1::Job& job, const CoordinatorOptions& options,
                               RunDirectory& directory) {
  const LogFunction log = LogToScreenWithoutWaiting();
  std::unique_ptr<CoordinatorClient> own;  // to ask for a stop
  absl::StatusOr<std::unique_ptr<StopSignals>> signals =
      StopSignals::Start([&](int, StopUrgency urgency) {
        if (urgency == StopUrgency::kImmediate || own == nullptr)
          std::_Exit(ExitCodeOfSignal(SIGTERM));
        log("stopping in order; once more to leave at once");
        own->Stop("signal").IgnoreError();
      });
  CONVOY_RETURN_IF_ERROR(signals.status());
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorService> service,
                          StartCoordinator(job, options, [&](const std::string& line) {
                            directory.AppendEvent(line).IgnoreError();
                            log(line);
                          }));
  const std::string address = service->address();
  CONVOY_ASSIGN_OR_RETURN(own, CoordinatorClient::Connect({address}));
  const std::unique_ptr<HttpServer> metrics = ServeCoordinatorMetrics(job, *service, log);
  const std::unique_ptr<Dashboard> dashboard =
      ServeDashboard(options.dashboard, job, *service, log);
  // So that `convoy status` finds it.
  CONVOY_RETURN_IF_ERROR(directory.WriteJob(JobToText(job)));
  CONVOY_RETURN_IF_ERROR(
      directory.WriteCluster(job.name(), {{"coordinator", 0, getpid(), address, ""}}));
  log(absl::StrCat("coordinator of job \"", job.name(), "\" listens on ", address,
                   ", run directory ", directory.path()));
  log(absl::StrCat(
      "waiting for ", job.cluster().servers(), " servers (convoy server --coordinator ", address,
      ") and ", job.cluster().workers(), " workers (convoy worker --coordinator ", address, ")"));
  service->WaitUntilEnded(kForever);
  if (absl::StatusOr<v1::GetProgressReply> last = own->GetProgress(0, 0);
      last.ok() && last->has_job()) {
    directory.WriteJob(JobToText(last->job())).IgnoreError();
  }
  const absl::Status written = directory.WriteSummary(service->summary());
  // No callback runs beyond this point: the service, which ends first, would wait for its client.
  const int signal = (*signals)->first_signal();
  signals->reset();
  own.reset();
  CONVOY_RETURN_IF_ERROR(written);
  if (!service->failure().empty()) return absl::AbortedError(service->failure());
  log("the job is done: " + directory.model_path());
  if (signal != 0) return ExitCodeOfSignal(signal);
  return WasStopped(service->summary()) ? kExitStopped : kExitDone;
}

// Started by hand: owns the run directory.
int RunByHand(v1::Job job, CoordinatorOptions options) {
  if (options.recover) {
    KeepPinnedInitOf(options.run_dir + "/job.textproto", &job);
  } else if (absl::Status pinned = PinInit(&job); !pinned.ok()) {
    return Fail(pinned, kExitBadUsage);
  }
  // Before the directory is opened, which ends a line that was cut off.
  if (options.recover) options.events_delivered = CountLines(options.run_dir + "/events.jsonl");
  absl::StatusOr<std::unique_ptr<RunDirectory>> directory =
      options.recover           ? RunDirectory::Open(options.run_dir)
      : options.run_dir.empty() ? RunDirectory::CreateDefault(job.name(), absl::Now())
                                : RunDirectory::Create(options.run_dir);
  if (!directory.ok()) return Fail(directory.status(), kExitBadUsage);
  options.model_file = (*directory)->model_path();
  options.checkpoints = (*directory)->checkpoints_path();
  options.journal = (*directory)->journal_path();
  const absl::StatusOr<int> ended = Coordinate(job, options, **directory);
  std::error_code ignored;
  std::filesystem::remove(options.journal, ignored);
  return ended.ok() ? *ended : Fail(ended.status());
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorService>> StartCoordinator(
    const v1::Job& job, const CoordinatorOptions& options,
    std::function<void(const std::string&)> on_event) {
  CoordinatorService::Options service;
  service.job = job;
  service.journal = options.journal;
  service.recover = options.recover;
  service.events_delivered = options.events_delivered;
  if (options.recover) {
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<JournalReader> journal,
                            JournalReader::Open(options.journal));
    service.job_id = journal->header().job_id();
  } else {
    service.job_id = RandomJobId();
  }
  service.listen = options.listen;
  service.insecure_listen = options.insecure_listen;
  service.on_event = std::move(on_event);
  service.save_model = [job_id = service.job_id, path = options.model_file](
                           const v1::Assignment& assignment, const std::string& from) {
    return from.empty() ? SaveModel(job_id, assignment, path)
                        : SaveModelOfCheckpoint(from, assignment, path);
  };
  service.admit = AdmitByMemory;
  service.plan_init = PlanInitOf;
  if (!options.checkpoints.empty()) {
    service.checkpoints =
        std::filesystem::absolute(options.checkpoints).lexically_normal().string();
    // One under way goes on.
    if (!options.recover) CONVOY_RETURN_IF_ERROR(RemoveTemporaries(service.checkpoints).status());
    service.commit_checkpoint = [folder = service.checkpoints, rules = job.checkpoint(),
                                 log = options.log](const CheckpointManifest& manifest,
                                                    const std::string& files) {
      CONVOY_RETURN_IF_ERROR(CommitCheckpoint(folder, files, manifest));
      // The checkpoint is there: old ones that could not be removed do it no harm.
      if (absl::Status pruned = Prune(folder, rules, manifest); !pruned.ok()) {
        log(absl::StrCat("old checkpoints could not be removed: ", std::string(pruned.message())));
      }
      return absl::OkStatus();
    };
  }
  if (!options.resume_from.empty() && !options.recover) {
    CONVOY_ASSIGN_OR_RETURN(service.resume,
                            OpenResumePoint(options.resume_from, options.resume_run));
    service.resume->allow_changes = options.allow_changes;
  }
  service.earlier = options.earlier;
  service.fixed_workers = options.fixed_workers;
  return CoordinatorService::Start(std::move(service));
}

void AddCoordinatorCommand(CommandSet& commands) {
  auto options = std::make_shared<CoordinatorOptions>();
  CLI::App* command = commands.Add<CoordinatorOptions>(
      "coordinator", "Start the coordinator of a job by hand", options,
      [](const CoordinatorOptions& chosen) {
        const absl::StatusOr<v1::Job> job = LoadResolvedJob(chosen.job);
        if (!job.ok()) return Fail(job.status(), kExitBadUsage);
        if (absl::Status status = CheckDashboard(chosen.dashboard); !status.ok())
          return Fail(status, kExitBadUsage);
        if (chosen.announce.empty() && chosen.recover && chosen.run_dir.empty()) {
          return Fail(absl::InvalidArgumentError(
                          "--recover: got no --run-dir, want the folder of the coordinator that "
                          "has died, where its journal is"),
                      kExitBadUsage);
        }
        if (chosen.announce.empty() && ClusterSizeOf(*job).servers == 0) {
          return Fail(
              absl::InvalidArgumentError("mode single is one process without coordinator and "
                                         "servers to start by hand; run\n"
                                         "convoy train JOB --mode single, or give another --mode"),
              kExitBadUsage);
        }
        return chosen.announce.empty() ? RunByHand(*job, chosen) : RunForLauncher(*job, chosen);
      });
  AddJobOptions(command, &options->job);
  command->add_option("--listen", options->listen, "Address to listen on; port 0: any")
      ->type_name("HOST:PORT")
      ->envname("CONVOY_LISTEN")
      ->capture_default_str();
  command
      ->add_option("--run-dir", options->run_dir,
                   "Folder for the results; default: a new one under runs/")
      ->type_name("DIR")
      ->envname("CONVOY_RUN_DIR");
  command
      ->add_flag("--recover", options->recover,
                 "Go on in the place of a coordinator that has died: from the journal in "
                 "--run-dir, at the same address unless --listen says another")
      ->envname("CONVOY_RECOVER");
  AddInsecureListen(command, &options->insecure_listen);
  AddDashboardOption(command, &options->dashboard);
  command->add_option("--announce", options->announce)->group("");  // the launcher's
  command->add_option("--model-file", options->model_file)->group("");
  command->add_option("--journal", options->journal)->group("");
  command->add_option("--checkpoints", options->checkpoints)->group("");
  command->add_option("--resume-from", options->resume_from)->group("");
  command->add_option("--resume-run", options->resume_run)->group("");
  command->add_flag("--allow-changes", options->allow_changes)->group("");
  command->add_option("--restarts", options->earlier.restarts)->group("");
  command->add_option("--generation", options->earlier.generation)->group("");
  command->add_option("--restart-cause", options->earlier.cause)->group("");
  command
      ->add_option_function<int64_t>("--has-trained-ms",
                                     [options](int64_t ms) {
                                       options->earlier.training_start =
                                           SteadyNow() - absl::Milliseconds(ms);
                                     })
      ->group("");
}

}  // namespace convoy
