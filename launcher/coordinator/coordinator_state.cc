// The second part of CoordinatorCore: how the state of the job changes, and what processes are told
// of it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/metrics/metric_names.h"
#include "common/optimizers/frozen.h"
#include "common/placement/ownership.h"
#include "common/rule_matches.h"
#include "common/status.h"
#include "launcher/coordinator/assignment.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/summary.h"
#include "launcher/coordinator/texts.h"

namespace convoy {
namespace {

// How long the end of a job waits for the last counters of its servers.
constexpr absl::Duration kFinalStatsTimeout = absl::Seconds(2);
// Failures travel as gRPC status messages, which have to fit into 8 KiB of headers.
constexpr size_t kMaxFailureBytes = 2000;

}  // namespace

// ------------------------------------------------------------------------------ changes of state

void CoordinatorCore::StateChanged() {
  ++sequence_;
  for (const auto& entry : heartbeats_.TakeAll()) AnswerHeartbeat(entry);
  News();
}

void CoordinatorCore::News() {
  ++news_;
  for (const auto& entry : observers_.TakeAll()) Answer(entry.call, Progress(entry.events_seen));
}

bool CoordinatorCore::Admit() {
  if (!admit_) return true;
  absl::StatusOr<v1::MemoryReport> memory =
      admit_(assignment_, members_.CountOn(host_, v1::SERVER), members_.CountOn(host_, v1::WORKER));
  if (!memory.ok()) {
    FailJob(std::string(memory.status().message()));
    return false;
  }
  memory_ = *std::move(memory);
  return true;
}

// A job that goes on is a later generation of the same training.
absl::Status CoordinatorCore::MakePlan() {
  const v1::DataSummary& data = members_.worker(0)->setup.data();
  plan_.emplace(job_, mode_, data);
  job_ = FillFromData(std::move(job_), data, plan_->StepsPerEpoch(), plan_->TotalExamples());
  ReportBook::Before before;
  IntervalSet completed;
  if (resume_) {
    before.steps = resume_->manifest.step;
    before.examples = plan_->ExamplesAt(resume_->manifest.step);
    before.dropped = resume_->manifest.dropped;
    for (const auto& [first, last] : resume_->manifest.completed_tasks) {
      completed.Add(first, last + 1);
    }
  }
  CONVOY_RETURN_IF_ERROR(GoOnMeasuring(&before));
  if (!plan_->sync) {
    before.trained = completed;
    tasks_.emplace(*plan_, members_.workers(), std::move(completed));
    const TaskLedger::Amount amount = tasks_->CompletedAmount();
    before.steps = amount.steps;
    before.examples = amount.examples;
  }
  reports_.emplace(*plan_, generation_, now_, before);
  assignment_ = MakeAssignment(job_, generation_, members_);
  if (!resume_) return absl::OkStatus();
  assignment_.mutable_restore()->set_folder(resume_->folder);
  assignment_.mutable_restore()->set_step(resume_->manifest.step);
  return absl::OkStatus();
}

absl::Status CoordinatorCore::CheckTrackedMetric() const {
  if (track_.metric().empty()) return absl::OkStatus();
  const char* const field = track_.decides() ? "training.early_stopping.metric" : "checkpoint.best";
  const v1::DataSummary& data = members_.worker(0)->setup.data();
  if (data.validation_examples() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": \"", track_.metric(),
                     "\" is not measured: there are no validation data; set data.validation"));
  }
  return Annotate(CheckValidationMetric(track_.metric(), data.classes()), field);
}

void CoordinatorCore::StartTraining() {
  generation_ = (resume_ ? std::max(resume_->manifest.generation, earlier_.generation)
                         : earlier_.generation) +
                1;
  training_start_ = now_;
  listening_since_ = now_;
  if (absl::Status fits = CheckResumePoint(); !fits.ok())
    return FailJob(std::string(fits.message()));
  absl::Status planned = CheckTrackedMetric();
  planned.Update(MakePlan());
  if (planned.ok()) planned = PlanWeights();
  if (!planned.ok()) return FailJob(std::string(planned.message()));
  if (!Admit()) return;
  phase_ = v1::TRAINING;
  for (uint32_t rank = 0; plan_->sync && rank < members_.workers(); ++rank) {
    if (!OwnedSlices(rank, members_.workers(), job_.training().slices()).empty()) continue;
    members_.worker(rank)->finished = true;  // A spare takes no step: nobody waits for it.
    stop_.Leave(rank);
  }
  MakeKeeper();
  // A job that was killed when it had just decided to end.
  if (resume_) EndIfExhausted(resume_->manifest.step);
  for (const auto& entry : ready_.TakeAll()) {
    Answer(entry.call, AssignmentOf(*members_.slot(entry.owner)));
  }
  if (earlier_.restarts > 0) {
    AddEvent(RestartLine(resume_ ? &*resume_ : nullptr, earlier_, generation_, training_start_));
  } else if (resume_) {
    AddEvent(ResumeLine(*resume_, generation_));
  }
  if (assignment_.has_init()) AddEvent(InitLine(assignment_.init(), generation_));
  FollowKeeper(keeper_->Tick(now_, CurrentStep()));
  StateChanged();
}

absl::Status CoordinatorCore::PlanWeights() {
  std::vector<VariableSpec> variables(static_cast<size_t>(assignment_.variables_size()));
  std::vector<TableSpec> tables(static_cast<size_t>(assignment_.tables_size()));
  for (size_t v = 0; v < variables.size(); ++v) {
    CONVOY_RETURN_IF_ERROR(FromProto(assignment_.variables(static_cast<int>(v)), &variables[v]));
  }
  for (size_t t = 0; t < tables.size(); ++t) {
    CONVOY_RETURN_IF_ERROR(FromProto(assignment_.tables(static_cast<int>(t)), &tables[t]));
  }
  CONVOY_RETURN_IF_ERROR(CheckRuleMatches(job_, variables, tables));
  CONVOY_ASSIGN_OR_RETURN(const FrozenParts frozen,
                          FindFrozen(job_.optimizer(), variables, tables));
  if (frozen.all() && earlier_.restarts == 0)
    AddEvent(WarningLine(kNothingLearns, generation_, Since()));
  if (resume_ || !job_.has_init()) return absl::OkStatus();
  if (!plan_init_) return absl::FailedPreconditionError("init: this coordinator reads no weights");
  CONVOY_ASSIGN_OR_RETURN(*assignment_.mutable_init(), plan_init_(job_, variables, tables));
  return absl::OkStatus();
}

absl::Status CoordinatorCore::CheckResumePoint() const {
  if (!resume_) return absl::OkStatus();
  return FitsCheckpoint(*resume_, job_, members_.worker(0)->setup);
}

// Modes with steps: the highest that was begun. Others: batches that were pushed.
uint64_t CoordinatorCore::CurrentStep() const {
  uint64_t highest = resume_ ? resume_->manifest.step : 0, sum = 0;
  for (uint32_t rank = 0; rank < members_.workers(); ++rank) {
    highest = std::max(highest, members_.worker(rank)->step);
    sum += members_.worker(rank)->step;
  }
  return plan_->sync ? highest : sum;
}

void CoordinatorCore::FinishIfAllFinished() {
  const auto finished = [](const Process& process) { return process.finished; };
  if (phase_ != v1::TRAINING || !members_.All(v1::WORKER, finished)) return;
  if (DividesNow()) return Divide(ScalingThatIsStillWanted(), /*in_order=*/true);
  scaling_.reset();
  training_end_ = now_;
  if (tasks_ && !tasks_->Done() && stop_.step() == 0) {
    FailJob(absl::StrCat("all workers have finished, but ", tasks_->remaining(),
                         " data tasks of the training or some of the validation are not complete"));
    return;
  }
  phase_ = v1::FINISHING;
  StateChanged();
  finishing_sequence_ = sequence_;
  CommitIfMeasured();
  const uint64_t last = stop_.step() == 0 ? plan_->TotalSteps() : stop_.step();
  FollowKeeper(keeper_->Finish(now_, std::min(last, plan_->TotalSteps())));
  SaveModelWhenDue();
  EndIfSaved();
}

// The best one may be the last, which has to be saved before.
void CoordinatorCore::SaveModelWhenDue() {
  if (phase_ != v1::FINISHING || model_asked_) return;
  if (track_.decides() && !keeper_->done()) return;
  model_asked_ = true;
  const bool is_last = best_ && plan_->sync && best_->step == reports_->steps();
  if (track_.decides() && best_ && !is_last) {
    model_from_ = absl::StrCat(checkpoints_, "/", CheckpointName(best_->step));
  }
  AskToSaveModel();
}

void CoordinatorCore::SaveNewestModel(const absl::Status& why) {
  AddEvent(WarningLine(
      absl::StrCat("the best weights, those of step ", best_->step,
                   ", could not be read; the model is that of the newest step instead: ",
                   std::string(why.message())),
      generation_, Since()));
  model_from_.clear();
  AskToSaveModel();
}

void CoordinatorCore::AskToSaveModel() {
  if (mode_.single() && model_from_.empty()) {
    model_saved_ = true;  // by the worker
    return;
  }
  actions_.save_model = assignment_;
  actions_.model_from = model_from_;
  const v1::ReadyRequest& setup = members_.worker(0)->setup;
  if (setup.has_schema()) *actions_.save_model->mutable_schema() = setup.schema();
}

void CoordinatorCore::EndIfSaved() {
  const auto complete = [](const Process& process) { return process.final_stats; };
  if (phase_ != v1::FINISHING || !model_saved_ || !keeper_->done()) return;
  if (members_.All(v1::SERVER, complete) || now_ >= training_end_ + kFinalStatsTimeout) {
    End(v1::DONE);
  }
}

void CoordinatorCore::FailJob(std::string_view failure, bool lost) {
  if (ended()) return;
  restorable_ = lost;
  failure_ = Shortened(failure, kMaxFailureBytes);
  FailParked(FailedStatus());
  End(v1::FAILED);
}

void CoordinatorCore::End(v1::JobPhase phase) {
  Outcome outcome;
  outcome.failure = failure_;
  outcome.restarts = earlier_.restarts;
  outcome.workers_replaced = workers_replaced_;
  outcome.coordinators_replaced = recoveries_;
  if (plan_) {
    const absl::Time end = std::min(now_, training_end_);
    outcome.wall = end - std::min(training_start_, earlier_.training_start);
    outcome.life = end - training_start_;
    outcome.early_stopping = early_stopping_;
    outcome.best = best_;
    if (!model_from_.empty()) outcome.model_step = best_->step;
    outcome.stopped_early = stop_.step() != 0 && early_stopping_.empty() &&
                            (tasks_ ? !tasks_->Done() : reports_->steps() < plan_->TotalSteps());
  }
  if (keeper_) {
    outcome.checkpoints_saved = keeper_->taken();
    outcome.checkpoints_failed = keeper_->failed();
  }
  summary_ = SummaryJson(job_, members_, reports_ ? &*reports_ : nullptr, outcome);
  phase_ = phase;
  EndSaves();
  StateChanged();
}

void CoordinatorCore::FailParked(const absl::Status& status) {
  for (const auto& entry : ready_.TakeAll()) Answer(entry.call, status);
  for (const auto& entry : next_tasks_.TakeAll()) Answer(entry.call, status);
}

void CoordinatorCore::ServeTasks() {
  for (const auto& entry : next_tasks_.TakeAll()) {
    auto reply = TaskFor(static_cast<uint32_t>(entry.owner));
    if (reply) {
      Answer(entry.call, *std::move(reply));
    } else {
      next_tasks_.Park(entry);
    }
  }
}

Missed CoordinatorCore::FindMissed(absl::Time now) const {
  if (phase_ == v1::STARTING) {
    return MissedAtStart(members_, startup_timeout_, lost_after_, listening_since_, now);
  }
  if (ended()) return {};
  // Those that were there before a division come soon; others may have to be started first.
  const bool started = newcomers_ && wanted_workers_ > 0;
  const bool soon = !started && (MayGoOnWithout(MissingWorkers()) || MayGoOnWithoutNewcomers());
  // In phase FINISHING the workers are no longer needed.
  return MissedInTraining(members_, startup_timeout_, lost_after_,
                          soon ? lost_after_ : startup_timeout_, listening_since_,
                          phase_ == v1::TRAINING, now);
}

absl::Time CoordinatorCore::NextDeadline() const {
  absl::Time next = FindMissed(now_).deadline;
  for (const ParkedCalls* calls :
       {&ready_, &heartbeats_, &next_tasks_, &observers_, &saving_calls_}) {
    next = std::min(next, calls->NextDeadline());
  }
  if (keeper_) next = std::min(next, keeper_->NextDeadline());
  const bool only_stats = phase_ == v1::FINISHING && model_saved_ && keeper_->done();
  return only_stats ? std::min(next, training_end_ + kFinalStatsTimeout) : next;
}

bool CoordinatorCore::everybody_told() const {
  for (size_t i = 0; i < members_.slots(); ++i) {
    const Process* process = members_.slot(i);
    if (process != nullptr && process->lost.empty() && !process->told_end) return false;
  }
  return true;
}

// ------------------------------------------------------------------------------ replies

absl::Status CoordinatorCore::FailedStatus() const {
  return absl::FailedPreconditionError(absl::StrCat("the job has failed: ", failure_));
}

v1::Assignment CoordinatorCore::AssignmentOf(const Process& process) const {
  v1::Assignment assignment = assignment_;
  if (process.identity.role() == v1::WORKER && generation_ > 0) {
    const SliceSpan owned =
        OwnedSlices(process.identity.rank(), members_.workers(), job_.training().slices());
    assignment.set_slice_begin(static_cast<uint32_t>(owned.begin));
    assignment.set_slice_end(static_cast<uint32_t>(owned.end));
    assignment.set_hold_step(hold_);
    assignment.set_rejoins(process.rejoins);
    if (process.rejoins) {
      assignment.set_stop_step(stop_.step());
      if (tasks_) assignment.set_completed_task(tasks_->LastTrained(process.identity.rank()));
    }
    for (const v1::ReportRequest& carried : carried_) {
      const bool own = carried.part() >= owned.begin && carried.part() < owned.end;
      if (own) *assignment.add_carried() = carried;
    }
  }
  return assignment;
}

void CoordinatorCore::AnswerHeartbeat(const ParkedCalls::Entry& entry) {
  v1::HeartbeatReply reply;
  reply.set_sequence(sequence_);
  reply.set_phase(phase_);
  reply.set_generation(generation_);
  reply.set_stop_step(stop_.step());
  reply.set_stop_agreed(stop_.agreed());
  reply.set_hold_step(hold_);
  reply.set_divides(scaling_.has_value());
  reply.set_failure(failure_);
  if (keeper_ && keeper_->order().number() > 0) *reply.mutable_snapshot() = keeper_->order();
  if (ended()) members_.slot(entry.owner)->told_end = true;
  Answer(entry.call, std::move(reply));
}

std::optional<v1::NextTaskReply> CoordinatorCore::TaskFor(uint32_t worker) {
  v1::NextTaskReply reply;
  if (stop_.step() != 0 || tasks_->Done()) {
    reply.set_end(true);
    return reply;
  }
  std::optional<v1::DataTask> task = tasks_->Next(worker);
  if (!task) return std::nullopt;
  *reply.mutable_task() = *std::move(task);
  return reply;
}

absl::Duration CoordinatorCore::Since() const { return now_ - training_start_; }

}  // namespace convoy
