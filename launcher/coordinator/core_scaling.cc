// The seventh part of CoordinatorCore: another number of workers, while the servers stay as they
// are.
//
// The slices of a step, or the data tasks that workers hold, are divided anew. Then every worker is
// one that takes the place of another one (core_losses.cc): it registers again, and in modes with
// steps asks the servers for the step that its slices owe. In sync and local_sgd the slices stay
// what they are, and with them every bit of the result.
//
// On demand the workers stop at a step first, as at the end of a job, and report what they have
// summed up. When a worker was lost and the job goes on without it they stop where they are.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/job/validate.h"
#include "common/placement/ownership.h"
#include "common/status.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/loss_report.h"

namespace convoy {

absl::Status CoordinatorCore::CheckMayScale(uint32_t workers) const {
  if (fixed_workers_) {
    return absl::FailedPreconditionError(
        "the workers of this job are threads of one process; stop it, and go on with --resume and "
        "another number of workers");
  }
  if (phase_ != v1::TRAINING) {
    return absl::FailedPreconditionError(
        absl::StrCat("the job is in phase ", v1::JobPhase_Name(phase_),
                     ", its workers can be divided anew in TRAINING only"));
  }
  if (stop_.step() != 0) {
    if (!scaling_) return absl::FailedPreconditionError("the job is about to stop");
    return absl::AbortedError(
        "the workers are being divided anew already; ask again when they have gone on");
  }
  const uint32_t slices = job_.training().slices();
  if (plan_->sync && workers > slices) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers: got ", workers, ", want at most ", slices,
                     ", the slices of a step: others would ",
                     "have nothing to do. A job that may grow needs training.slices: ", workers,
                     " from its beginning"));
  }
  // What is wrong with the job only with that number.
  const std::vector<Violation> before = Validate(job_);
  v1::Job job = job_;
  job.mutable_cluster()->set_workers(workers);
  for (const Violation& violation : Validate(job)) {
    const bool is_new = std::ranges::none_of(
        before, [&](const Violation& other) { return other.message == violation.message; });
    if (is_new) return absl::InvalidArgumentError(violation.message);
  }
  if (const std::string others = WaitingForOthers(members_, now_); !others.empty()) {
    return absl::AbortedError(
        absl::StrCat("the job waits for ", others, "; ask again when it has gone on"));
  }
  if (workers == members_.workers()) {
    return absl::InvalidArgumentError(absl::StrCat("the job has ", workers, " workers already"));
  }
  return absl::OkStatus();
}

// A call whose answer was lost is repeated, also when the workers have been divided meanwhile.
bool CoordinatorCore::IsBeingDone(const v1::ScaleRequest& request) const {
  if (phase_ != v1::TRAINING) return false;
  if (scaling_) return scaling_->wanted && scaling_->workers == request.workers();
  return stop_.step() == 0 && request.workers() == wanted_workers_ &&
         request.workers() == members_.workers();
}

Actions CoordinatorCore::OnScale(CallId call, const v1::ScaleRequest& request, absl::Time now) {
  now_ = now;
  absl::Status status = CheckJob(request.job_id());
  if (status.ok() && IsBeingDone(request)) {
    Answer(call, v1::ScaleReply());
    return Flush();
  }
  if (status.ok()) status = CheckMayScale(request.workers());
  if (!status.ok()) {
    Answer(call, status);
    return Flush();
  }
  Answer(call, v1::ScaleReply());
  StopToDivide({request.workers(), /*wanted=*/true});
  return Flush();
}

// One that finds no place begins a division that makes room, and asks again.
absl::Status CoordinatorCore::MakeRoom(const absl::Status& refused) {
  const bool makes_room = scaling_ && !scaling_->wanted;
  const uint32_t workers = members_.workers() + 1;
  if (!makes_room) {
    const absl::Status may = CheckMayScale(workers);
    if (absl::IsInvalidArgument(may)) {
      return absl::ResourceExhaustedError(
          absl::StrCat(std::string(refused.message()), "; ", std::string(may.message())));
    }
    if (!may.ok()) return refused;
    StopToDivide({workers, /*wanted=*/false});
  }
  joiner_asked_ = now_;
  // Not Unavailable, after which nobody asks for longer than the coordinator may be away.
  return absl::AbortedError("the job makes room for another worker; ask again");
}

void CoordinatorCore::StopToDivide(const Scaling& scaling) {
  scaling_ = scaling;
  stop_.Request();
  StateChanged();
  ServeTasks();
}

// All workers have finished: whether that is since they are divided anew.
bool CoordinatorCore::DividesNow() const {
  if (!scaling_ || !early_stopping_.empty()) return false;
  return tasks_ ? !tasks_->Done() : stop_.step() < plan_->TotalSteps();
}

// One that joins may have left meanwhile: nobody would come for its place.
CoordinatorCore::Scaling CoordinatorCore::ScalingThatIsStillWanted() const {
  constexpr absl::Duration kPatience = absl::Seconds(2);
  const bool has_left =
      !scaling_->wanted && std::max(joiner_asked_, listening_since_) + kPatience <= now_;
  return has_left ? Scaling{members_.workers(), /*wanted=*/false} : *scaling_;
}

// `in_order`: they have stopped, and reported everything.
void CoordinatorCore::Divide(const Scaling& scaling, bool in_order) {
  const uint32_t before = members_.workers();
  const uint64_t step = plan_->sync && in_order ? stop_.step() : CurrentStep();
  for (const auto& entry : heartbeats_.TakeAll()) {
    const bool is_worker = entry.owner >= members_.servers();
    is_worker ? AnswerRegisterAgain(entry.call) : AnswerHeartbeat(entry);
  }
  for (const auto& entry : next_tasks_.TakeAll()) {
    Answer(entry.call, absl::AbortedError("the data tasks are divided anew"));
  }
  for (uint32_t rank = 0; tasks_ && rank < before && !in_order; ++rank) {
    reports_->GiveUpTask(tasks_->LastTrained(rank));
  }
  if (tasks_) tasks_->Divide(scaling.workers);
  members_.Divide(scaling.workers, in_order, now_);
  // In order nobody has begun `step`.
  const uint64_t begun = plan_->sync && in_order && step > 0 ? step - 1 : step;
  for (uint32_t rank = 0; rank < scaling.workers; ++rank) {
    members_.worker(rank)->step = tasks_ ? tasks_->StepsOf(rank) : begun;
  }
  // Where the next reports begin.
  if (in_order && plan_->sync) {
    carried_.assign(plan_->slices, {});
    for (uint64_t slice = 0; slice < plan_->slices; ++slice) {
      carried_[slice].set_part(slice);
      carried_[slice].set_step_begin(step);
    }
  }
  job_.mutable_cluster()->set_workers(scaling.workers);
  assignment_.mutable_job()->mutable_cluster()->set_workers(scaling.workers);
  assignment_.set_world_size(scaling.workers);
  stop_ = StopAgreement(mode_.rounds(), scaling.workers, step);
  stragglers_ = StragglerWatch(HeartbeatsToCompare(job_));
  std::vector<bool> measured(scaling.workers, measured_by_all_);
  for (uint32_t rank = 0; plan_->sync && rank < scaling.workers; ++rank) {
    // A spare takes no step.
    if (OwnedSlices(rank, scaling.workers, job_.training().slices()).empty())
      measured[rank] = false;
  }
  keeper_->SetWorkers(std::move(measured));
  if (in_order && plan_->sync) EndMeasuringBefore(step);
  wanted_workers_ = scaling.wanted ? scaling.workers : 0;
  newcomers_ = scaling.workers > before;
  scaling_.reset();
  ++divisions_;
  divided_at_ = now_;
  AddEvent(DividedLine(scaling.workers, before, in_order ? std::optional(step) : std::nullopt,
                       generation_, Since()));
  StateChanged();
  if (in_order && track_.Exhausted()) EndIfExhausted(step);
}

// With backups a worker may have left out the version of the checkpoint that is under way: nobody
// reports any more what it had summed up by then.
void CoordinatorCore::EndMeasuringBefore(uint64_t step) {
  const v1::SnapshotOrder& order = keeper_->order();
  if (order.number() == 0 || order.version() >= step) return;
  if (records_.try_emplace(order.version()).second) CommitIfMeasured();
}

void CoordinatorCore::AnswerRegisterAgain(CallId call) {
  v1::HeartbeatReply reply;
  reply.set_sequence(sequence_);
  reply.set_phase(phase_);
  reply.set_generation(generation_);
  reply.set_register_again(true);
  Answer(call, std::move(reply));
}

// Those that are stopping come to their step with others in the places of those that are missed.
bool CoordinatorCore::MayGoOnWithout(uint32_t missing) const {
  const v1::Cluster& cluster = job_.cluster();
  return cluster.on_worker_loss() == v1::Cluster::CONTINUE && !fixed_workers_ &&
         phase_ == v1::TRAINING && stop_.step() == 0 && missing > 0 &&
         missing + std::max(1u, cluster.min_workers()) <= members_.workers();
}

uint32_t CoordinatorCore::MissingWorkers() const {
  uint32_t missing = 0;
  for (uint32_t rank = 0; rank < members_.workers(); ++rank) {
    const Process* const worker = members_.worker(rank);
    missing += worker != nullptr && !worker->lost.empty() && !worker->finished ? 1 : 0;
  }
  return missing;
}

uint32_t CoordinatorCore::LostWorkers() const { return MissingWorkers() - members_.EmptyPlaces(); }

bool CoordinatorCore::GoesOnWithoutPlaces(uint32_t places) {
  const uint32_t missing = LostWorkers() + places;
  if (!MayGoOnWithout(missing)) return false;
  Divide({members_.workers() - missing, /*wanted=*/false}, /*in_order=*/false);
  return true;
}

bool CoordinatorCore::GoesOnWithoutLost() { return GoesOnWithoutPlaces(0); }

// Also those that have not come since the last division.
bool CoordinatorCore::GoesOnWithoutMissing() {
  if (!MayGoOnWithout(MissingWorkers())) return false;
  for (uint32_t rank = 0; rank < members_.workers(); ++rank) {
    const Process& place = *members_.worker(rank);
    if (place.identity.incarnation() > 0) continue;
    ++workers_lost_;
    AddEvent(LostLine(place.name(), place.lost, place.step, generation_, Since()));
  }
  members_.GiveUpOldOnes();
  return GoesOnWithoutPlaces(members_.EmptyPlaces());
}

// All that were there before have come: what is empty was meant for one that wanted to join.
bool CoordinatorCore::MayGoOnWithoutNewcomers() const {
  return newcomers_ && wanted_workers_ == 0 && phase_ == v1::TRAINING && stop_.step() == 0 &&
         members_.OldOnesToCome() == 0 && LostWorkers() == 0 && members_.EmptyPlaces() > 0 &&
         members_.EmptyPlaces() < members_.workers();
}

bool CoordinatorCore::GoesOnWithoutNewcomers() {
  if (!MayGoOnWithoutNewcomers()) return false;
  Divide({members_.workers() - members_.EmptyPlaces(), /*wanted=*/false}, /*in_order=*/false);
  return true;
}

}  // namespace convoy
