#include "launcher/coordinator/coordinator_core.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/cluster_size.h"
#include "common/status.h"
#include "launcher/coordinator/assignment.h"
#include "launcher/coordinator/loss_report.h"
#include "launcher/coordinator/setup_comparison.h"
#include "launcher/coordinator/texts.h"

namespace convoy {
namespace {

constexpr size_t kMaxActivityBytes = 256;

absl::Status CheckRange(const char* what, uint64_t got, uint64_t low, uint64_t high) {
  if (got >= low && got <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": got ", got, ", want ", low, " to ", high));
}

absl::Status CheckJobNumbers(const v1::Job& job, const Mode& mode) {
  const uint64_t any = UINT32_MAX;
  if (!mode.single()) {
    CONVOY_RETURN_IF_ERROR(CheckRange("cluster.servers", job.cluster().servers(), 1, 64));
    CONVOY_RETURN_IF_ERROR(CheckRange("cluster.workers", job.cluster().workers(), 1, 1024));
  }
  CONVOY_RETURN_IF_ERROR(CheckRange("training.slices", job.training().slices(), 1, 65536));
  CONVOY_RETURN_IF_ERROR(CheckRange("training.epochs", job.training().epochs(), 1, any));
  CONVOY_RETURN_IF_ERROR(CheckRange("training.batch_size", job.training().batch_size(), 1, any));
  return CheckRange("training.batches_per_task", job.training().batches_per_task(), 1, any);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorCore>> CoordinatorCore::Create(Options options) {
  CONVOY_ASSIGN_OR_RETURN(const Mode mode, ParseMode(options.job.training().mode()));
  if (options.job_id == 0) return absl::InvalidArgumentError("job_id: got 0, want another number");
  v1::Training& training = *options.job.mutable_training();
  if (!training.has_slices())
    training.set_slices(static_cast<uint32_t>(DefaultSlices(options.job)));
  CONVOY_RETURN_IF_ERROR(CheckJobNumbers(options.job, mode));
  return std::unique_ptr<CoordinatorCore>(new CoordinatorCore(std::move(options), mode));
}

CoordinatorCore::CoordinatorCore(Options options, const Mode& mode)
    : mode_(mode),
      job_(std::move(options.job)),
      job_id_(options.job_id),
      startup_timeout_(absl::Milliseconds(job_.cluster().startup_timeout_ms())),
      lost_after_(absl::Milliseconds(job_.cluster().lost_after_ms())),
      host_(std::move(options.host)),
      admit_(std::move(options.admit)),
      checkpoints_(std::move(options.checkpoints)),
      plan_init_(std::move(options.plan_init)),
      resume_(std::move(options.resume)),
      earlier_(std::move(options.earlier)),
      fixed_workers_(options.fixed_workers),
      start_(options.start),
      members_(job_id_, ClusterSizeOf(job_).servers, ClusterSizeOf(job_).workers, options.start),
      stop_(mode.rounds(), members_.workers(), resume_ ? resume_->manifest.step : 0),
      stragglers_(HeartbeatsToCompare(job_)),
      now_(options.start),
      track_(job_) {}

Actions CoordinatorCore::Flush() { return std::exchange(actions_, {}); }

void CoordinatorCore::AddEvent(std::string line) {
  events_.Append(line);
  actions_.events.push_back(std::move(line));
  News();
}

void CoordinatorCore::Answer(CallId call, Actions::Reply reply) {
  actions_.answers.push_back({call, std::move(reply)});
}

// ------------------------------------------------------------------------------ who is speaking

absl::StatusOr<Process*> CoordinatorCore::FindMember(const v1::Identity& identity) {
  const Process* const before = members_.FindRank(identity.role(), identity.rank());
  const bool was_lost = before != nullptr && !before->lost.empty();
  CONVOY_ASSIGN_OR_RETURN(Process* const process, members_.Find(identity, now_));
  if (was_lost && phase_ == v1::TRAINING && !process->finished) {
    AddEvent(ReturnLine(process->name(), process->step, generation_, Since()));
  }
  const uint64_t got = identity.generation();
  if (got == 0 || got == generation_) return process;
  const std::string text =
      absl::StrCat(process->name(), ": got generation ", got, ", want ", generation_);
  return got < generation_ ? absl::AbortedError(text) : absl::UnavailableError(text);
}

absl::StatusOr<Process*> CoordinatorCore::FindTrainingWorker(const v1::Identity& identity) {
  CONVOY_ASSIGN_OR_RETURN(Process* const process, FindMember(identity));
  if (identity.role() != v1::WORKER) {
    return absl::InvalidArgumentError(
        absl::StrCat(process->name(), ": this is for workers, not for servers"));
  }
  if (phase_ == v1::FAILED) return FailedStatus();
  if (phase_ != v1::TRAINING && phase_ != v1::FINISHING) {
    return absl::FailedPreconditionError(absl::StrCat(
        process->name(), ": the job is in phase ", v1::JobPhase_Name(phase_), ", not in TRAINING"));
  }
  if (identity.generation() == 0) {
    return absl::AbortedError(
        absl::StrCat(process->name(), ": got generation 0, want ", generation_));
  }
  return process;
}

absl::Status CoordinatorCore::CheckJob(uint64_t job_id) const {
  if (job_id == 0 || job_id == job_id_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("got job %016x, this coordinator runs job %016x", job_id, job_id_));
}

// ------------------------------------------------------------------------------ start

Actions CoordinatorCore::OnRegister(CallId call, const v1::RegisterRequest& request,
                                    absl::Time now) {
  now_ = now;
  if (phase_ == v1::FAILED) {
    Answer(call, FailedStatus());
    return Flush();
  }
  const absl::StatusOr<const Process*> process = members_.Register(request, now);
  if (!process.ok()) {
    const bool joins = absl::IsResourceExhausted(process.status()) && phase_ == v1::TRAINING &&
                       request.role() == v1::WORKER && !mode_.single() &&
                       !members_.WasHereBefore(request);
    Answer(call, joins ? MakeRoom(process.status()) : process.status());
    return Flush();
  }
  if (tasks_ && (*process)->rejoins && !(*process)->beats) {
    // The batches of a task that was not complete are done again.
    Process& newcomer = *members_.FindRank(request.role(), (*process)->identity.rank());
    newcomer.step = newcomer.steps_before = tasks_->StepsOf((*process)->identity.rank());
  }
  v1::RegisterReply reply;
  *reply.mutable_identity() = (*process)->identity;
  reply.set_rejoins((*process)->rejoins);
  *reply.mutable_job() = job_;
  Answer(call, std::move(reply));
  News();
  return Flush();
}

Actions CoordinatorCore::OnReady(CallId call, const v1::ReadyRequest& request, absl::Time now) {
  now_ = now;
  const absl::StatusOr<Process*> process = FindMember(request.identity());
  absl::Status status = process.status();
  if (status.ok() && phase_ == v1::STARTING) status = MakeReady(request, *process);
  if (status.ok() && phase_ == v1::TRAINING) status = MakeReadyAgain(request, *process);
  if (status.ok() && phase_ == v1::FAILED) status = FailedStatus();
  if (!status.ok()) {
    Answer(call, status);
    return Flush();
  }
  if (phase_ != v1::STARTING) {
    Answer(call, AssignmentOf(**process));
    return Flush();
  }
  const size_t owner = members_.IndexOf(**process);
  for (const auto& older : ready_.TakeOwner(owner)) Answer(older.call, AssignmentOf(**process));
  const absl::Time deadline =
      request.wait_ms() == 0 ? absl::InfiniteFuture() : now + absl::Milliseconds(request.wait_ms());
  ready_.Park({call, deadline, owner});
  News();
  if (members_.AllReady()) StartTraining();
  return Flush();
}

// A setup that makes no sense is the process's own failure and is only answered; one that differs
// from that of another worker is the job's.
absl::Status CoordinatorCore::MakeReady(const v1::ReadyRequest& request, Process* process) {
  if (process->ready) return absl::OkStatus();
  if (process->identity.role() == v1::WORKER) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckSetup(request), process->name()));
    const std::string difference = ModelDifference(*process, request);
    if (!difference.empty()) FailJob(difference);
    process->setup = request;
  }
  process->ready = true;
  return absl::OkStatus();
}

std::string CoordinatorCore::ModelDifference(const Process& worker,
                                             const v1::ReadyRequest& setup) const {
  for (uint32_t rank = 0; rank < members_.workers(); ++rank) {
    const Process* other = members_.worker(rank);
    if (other != nullptr && other->ready) {
      return DescribeDifference(worker.name(), setup, other->name(), other->setup);
    }
  }
  return "";
}

// ------------------------------------------------------------------------------ heartbeats

Actions CoordinatorCore::OnHeartbeat(CallId call, const v1::HeartbeatRequest& request,
                                     absl::Time now) {
  now_ = now;
  if (members_.IsDividedAnew(request.identity())) {
    members_.NoteOldOneLives(now);
    AnswerRegisterAgain(call);
    return Flush();
  }
  const absl::StatusOr<Process*> found = FindMember(request.identity());
  if (!found.ok()) {
    Answer(call, found.status());
    return Flush();
  }
  Process* const process = *found;
  const size_t owner = members_.IndexOf(*process);
  const uint64_t divisions = divisions_;
  Note(request, process);
  if (!request.failure().empty() && phase_ == v1::TRAINING && process->rejoins &&
      !process->rejoined) {
    // Another one may do better.
    Lose(process, absl::StrCat(process->name(), ": ", request.failure()), /*died=*/true);
    if (GoesOnWithoutLost()) {
      AnswerHeartbeat({call, now, owner});  // it ends, and does not register again
      return Flush();
    }
  } else if (!request.failure().empty()) {
    FailJob(absl::StrCat(process->name(), ": ", request.failure()), request.unreachable());
  } else if (process->identity.role() == v1::WORKER) {
    FollowWorker(request, process);
  } else {
    FollowServer(request, process);
  }
  if (divisions_ != divisions && request.identity().role() == v1::WORKER) {
    AnswerRegisterAgain(call);
    return Flush();
  }
  for (const auto& older : heartbeats_.TakeOwner(owner)) AnswerHeartbeat(older);
  const absl::Duration wait =
      std::min<absl::Duration>(absl::Milliseconds(request.wait_ms()), lost_after_ / 3);
  const ParkedCalls::Entry entry{call, now + wait, owner};
  if (request.seen() == sequence_ && request.wait_ms() > 0 && !ended()) {
    heartbeats_.Park(entry);
  } else {
    AnswerHeartbeat(entry);
  }
  return Flush();
}

void CoordinatorCore::Note(const v1::HeartbeatRequest& request, Process* process) const {
  process->beats = true;
  process->reported = now_;
  const uint64_t step = request.step() + (tasks_ ? process->steps_before : 0);
  if (step > process->step) process->stepped = now_;
  process->step = std::max(process->step, step);
  process->activity = Shortened(request.activity(), kMaxActivityBytes);
  if (!request.activity().empty()) process->active = now_;
  if (request.has_stats()) process->stats = request.stats();
  if (request.has_usage()) process->usage = request.usage();
}

void CoordinatorCore::FollowWorker(const v1::HeartbeatRequest& request, Process* worker) {
  // In mode single the worker writes the checkpoints, as the only server.
  if (mode_.single() && keeper_ && request.has_snapshot() && !ended()) {
    FollowKeeper(keeper_->OnState(0, request.snapshot(), now_));
    SaveModelWhenDue();
    EndIfSaved();
  }
  if (phase_ != v1::TRAINING) return;
  if (request.rejoined_at() > 0) FollowRejoined(worker, request.rejoined_at() - 1);
  const uint32_t rank = worker->identity.rank();
  bool changed = stop_.Update(rank, worker->step, request.stop_confirmed());
  if (request.finished() && !worker->finished) {
    worker->finished = true;
    changed |= stop_.Leave(rank);
  }
  if (changed) StateChanged();
  if (request.has_snapshot() && !mode_.single()) {
    FollowKeeper(keeper_->OnWorkerState(rank, request.snapshot(), now_));
  }
  FollowKeeper(keeper_->Tick(now_, CurrentStep()));
  NoteStragglers();
  FinishIfAllFinished();
}

void CoordinatorCore::FollowServer(const v1::HeartbeatRequest& request, Process* server) {
  if (keeper_ && request.has_snapshot() && !ended()) {
    FollowKeeper(keeper_->OnState(server->identity.rank(), request.snapshot(), now_));
    if (phase_ == v1::TRAINING) FollowKeeper(keeper_->Tick(now_, CurrentStep()));
    SaveModelWhenDue();
  }
  NoteImbalance();
  NoteFullTables();
  if (phase_ != v1::FINISHING || request.seen() < finishing_sequence_) return;
  server->final_stats = true;
  EndIfSaved();
}

// ------------------------------------------------------------------------------ the end, wanted

Actions CoordinatorCore::OnStop(CallId call, const v1::StopRequest& request, absl::Time now) {
  now_ = now;
  if (absl::Status status = CheckJob(request.job_id()); !status.ok()) {
    Answer(call, status);
    return Flush();
  }
  if (!request.failure().empty()) {
    FailJob(request.failure());
  } else if (phase_ == v1::STARTING) {
    FailJob(absl::StrCat("stopped before the training ", resume_ ? "went on" : "began", ": ",
                         request.reason()));
  } else if (phase_ == v1::TRAINING && scaling_) {
    scaling_.reset();  // they stop already
    StateChanged();
  } else if (phase_ == v1::TRAINING && stop_.Request()) {
    StateChanged();
    ServeTasks();
  }
  Answer(call, v1::StopReply());
  return Flush();
}

void CoordinatorCore::OnCancelled(CallId call) {
  for (ParkedCalls* calls : {&ready_, &heartbeats_, &next_tasks_, &observers_, &saving_calls_}) {
    if (calls->Forget(call)) return;
  }
}

// ------------------------------------------------------------------------------ the owner's side

Actions CoordinatorCore::OnModelSaved(const absl::Status& status, absl::Time now) {
  now_ = now;
  if (phase_ != v1::FINISHING) return Flush();
  if (!status.ok() && !model_from_.empty()) {
    SaveNewestModel(status);
    EndIfSaved();
  } else if (!status.ok()) {
    FailJob(absl::StrCat("saving the model: ", std::string(status.message())));
  } else {
    model_saved_ = true;
    EndIfSaved();
  }
  return Flush();
}

Actions CoordinatorCore::Fail(std::string_view failure, absl::Time now) {
  now_ = now;
  FailJob(failure);
  return Flush();
}

Actions CoordinatorCore::Tick(absl::Time now) {
  now_ = now;
  bool lost = false;
  for (Missed missed = FindMissed(now); !missed.text.empty(); missed = FindMissed(now)) {
    lost |= LoseOrFail(missed);
  }
  if (lost) GoesOnWithoutLost();  // without all of them at once
  if (keeper_ && phase_ == v1::TRAINING) FollowKeeper(keeper_->Tick(now, CurrentStep()));
  EndIfSaved();
  AnswerSaves();
  for (const auto& entry : ready_.TakeExpired(now)) Answer(entry.call, v1::Assignment());
  for (const auto& entry : heartbeats_.TakeExpired(now)) AnswerHeartbeat(entry);
  for (const auto& entry : next_tasks_.TakeExpired(now)) Answer(entry.call, v1::NextTaskReply());
  for (const auto& entry : observers_.TakeExpired(now)) {
    Answer(entry.call, Progress(entry.events_seen));
  }
  return Flush();
}

}  // namespace convoy
