// The sixth part of CoordinatorCore: workers that are lost while the job is under way, and those
// that take their places; and a coordinator that takes the place of another one.
//
// The weights, marks and stored contributions of the servers stay. A worker's successor owns the
// same slices, or gets the data tasks that the other held: in modes with steps it asks the servers
// for the lowest step that is not applied everywhere and goes on from there, which cells remember;
// in the others it does them again from their first batch. What a cell has counted already it
// ignores, so that nothing is lost and nothing counts twice. Only what the lost worker had summed
// up and not reported (losses, metrics) is gone.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/placement/ownership.h"
#include "common/status.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/loss_report.h"
#include "launcher/coordinator/setup_comparison.h"
#include "launcher/coordinator/texts.h"

namespace convoy {
namespace {

constexpr size_t kMaxCauseBytes = 500;

}  // namespace

bool CoordinatorCore::MayReplace(const Process& process) const {
  return phase_ == v1::TRAINING && process.identity.role() == v1::WORKER && !mode_.single() &&
         !process.finished && job_.cluster().max_restarts() > 0;
}

void CoordinatorCore::Lose(Process* process, const std::string& why, bool died) {
  const bool is_news = process->lost.empty();
  members_.Lose(members_.IndexOf(*process), Shortened(why, kMaxCauseBytes), died, now_);
  if (is_news) {
    ++workers_lost_;
    AddEvent(LostLine(process->name(), process->lost, process->step, generation_, Since()));
  }
}

bool CoordinatorCore::LoseOrFail(const Missed& missed) {
  Process* const process = missed.slot ? members_.slot(*missed.slot) : nullptr;
  if (process != nullptr && process->finished) {  // It is needed no more.
    members_.Lose(*missed.slot, missed.text, /*died=*/false, now_);
    return false;
  }
  if (process == nullptr && (GoesOnWithoutMissing() || GoesOnWithoutNewcomers())) return false;
  if (process == nullptr || !MayReplace(*process)) {
    FailJob(missed.text, missed.lost);
    return false;
  }
  Lose(process, missed.text, /*died=*/false);
  return true;
}

// A worker of before the last division has died, and had another rank then.
v1::ProcessLostReply::Remedy CoordinatorCore::RemedyForOldOne(
    const Membership::Before& before, const v1::ProcessLostRequest& request) {
  members_.NoteDeathOf(request.pid());
  if (before.was_lost || phase_ != v1::TRAINING) return v1::ProcessLostReply::NOTHING;
  if (!before.died) {  // else the call is repeated
    ++workers_lost_;
    AddEvent(LostLine(ProcessName(v1::WORKER, before.rank),
                      Shortened(request.cause(), kMaxCauseBytes), CurrentStep(), generation_,
                      Since()));
  }
  // Any of them takes any place: the others may be enough.
  const uint32_t empty = members_.EmptyPlaces(), to_come = members_.OldOnesToCome();
  if (empty <= to_come) return v1::ProcessLostReply::NOTHING;
  if (!newcomers_ && GoesOnWithoutPlaces(empty - to_come)) {
    return v1::ProcessLostReply::NOTHING;
  }
  return v1::ProcessLostReply::REPLACE;
}

Actions CoordinatorCore::OnProcessLost(CallId call, const v1::ProcessLostRequest& request,
                                       absl::Time now) {
  now_ = now;
  v1::ProcessLostReply reply;
  Process* const process = members_.FindRank(request.role(), request.rank());
  // Or one that died before it could register in the place of that one.
  const bool is_meant =
      process != nullptr && (request.pid() == 0 || request.pid() == process->registration.pid() ||
                             !process->lost.empty());
  if (absl::Status status = CheckJob(request.job_id()); !status.ok()) {
    Answer(call, status);
    return Flush();
  }
  const auto before =
      request.role() == v1::WORKER ? members_.BeforeDivision(request.pid()) : std::nullopt;
  if (before) {
    reply.set_any_rank(true);
    reply.set_remedy(RemedyForOldOne(*before, request));
  } else if (is_meant && request.role() == v1::WORKER &&
             (phase_ == v1::FINISHING || ended() || process->finished)) {
    members_.Lose(members_.IndexOf(*process), request.cause(), /*died=*/true, now_);
    reply.set_remedy(v1::ProcessLostReply::NOTHING);
  } else if (is_meant && MayReplace(*process)) {
    Lose(process, request.cause(), /*died=*/true);
    // A place that is empty since a division is not that of one that was lost.
    const bool goes_on = process->identity.incarnation() > 0 && GoesOnWithoutLost();
    reply.set_remedy(goes_on ? v1::ProcessLostReply::NOTHING : v1::ProcessLostReply::REPLACE);
  }
  Answer(call, reply);
  return Flush();
}

// The newcomer must be what the other was; if it is not, it is refused, and the job waits on.
absl::Status CoordinatorCore::MakeReadyAgain(const v1::ReadyRequest& request, Process* process) {
  if (process->ready) return absl::OkStatus();
  CONVOY_RETURN_IF_ERROR(Annotate(CheckSetup(request), process->name()));
  const std::string difference =
      DescribeDifference(process->name(), request,
                         absl::StrCat("the ", process->name(), " before it"), process->setup);
  if (!difference.empty()) return absl::FailedPreconditionError(difference);
  process->setup = request;
  process->ready = true;
  News();
  return absl::OkStatus();
}

Actions CoordinatorCore::OnRecovered(absl::Time now) {
  now_ = now;
  listening_since_ = now;
  for (ParkedCalls* calls : {&ready_, &heartbeats_, &next_tasks_, &observers_, &saving_calls_}) {
    calls->TakeAll();
  }
  ++recoveries_;
  if (plan_) AddEvent(RecoveredLine(CurrentStep(), generation_, Since()));
  return Flush();
}

void CoordinatorCore::FollowRejoined(Process* worker, uint64_t step) {
  if (!worker->rejoins || worker->rejoined) return;
  worker->rejoined = true;
  if (worker->in_order) return;
  if (!worker->divided) ++workers_replaced_;
  const uint32_t rank = worker->identity.rank();
  if (tasks_) {
    reports_->GiveUpTask(tasks_->LastTrained(rank));
  } else {
    const SliceSpan owned = OwnedSlices(rank, members_.workers(), job_.training().slices());
    // Reports come in their order: nothing of later versions is complete yet.
    std::string known = ToJson(Record({}));
    for (std::string& line : reports_->GiveUp(owned.begin, owned.end, step, now_)) {
      AddEvent(std::move(line));
    }
    // What it had summed up by the version of a checkpoint that is under way is not known.
    const uint64_t version = keeper_->order().version();
    if (version < step && records_.try_emplace(version, std::move(known)).second) {
      CommitIfMeasured();
    }
  }
  if (!worker->divided) AddEvent(RejoinLine(worker->name(), step, generation_, Since()));
}

}  // namespace convoy
