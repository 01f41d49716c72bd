// The third part of CoordinatorCore: checkpoints, when they are due and when somebody asks.
#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/status.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "launcher/coordinator/coordinator_core.h"

namespace convoy {
namespace {

absl::Status NotSaved(std::string_view why) {
  return absl::AbortedError(absl::StrCat("the checkpoint could not be saved: ", std::string(why)));
}

v1::SaveCheckpointReply SavedReply(const std::string& checkpoints,
                                   const CheckpointManifest& manifest) {
  v1::SaveCheckpointReply reply;
  reply.set_committed(true);
  reply.set_folder(absl::StrCat(checkpoints, "/", CheckpointName(manifest.step)));
  reply.set_step(manifest.step);
  for (const CheckpointFile& file : manifest.files) reply.set_bytes(reply.bytes() + file.bytes);
  return reply;
}

}  // namespace

void CoordinatorCore::StartKeeper() {
  const v1::Checkpoint& rules = job_.checkpoint();
  CheckpointKeeper::Options options;
  options.rounds = plan_->sync;
  options.servers = members_.servers();
  options.folder = mode_.single() ? "" : checkpoints_;
  options.generation = generation_;
  options.first_step = resume_ ? resume_->manifest.step : 0;
  options.total_steps = plan_->TotalSteps();
  options.every_steps = rules.every_steps();
  if (rules.every_seconds() > 0) options.every = absl::Seconds(rules.every_seconds());
  options.at_end = rules.at_end();
  keeper_.emplace(options, now_);
  FollowKeeper(keeper_->Tick(now_, CurrentStep()));
}

void CoordinatorCore::FollowKeeper(bool changed) {
  const uint64_t order_before = order_;  // the one that a failure is of
  if (order_ != keeper_->order().number()) {
    order_ = keeper_->order().number();
    if (tasks_) tasks_at_order_ = tasks_->completed();
  }
  if (const std::string failure = keeper_->TakeFailure(); !failure.empty()) {
    AddEvent(CheckpointFailureLine(failure, generation_, now_ - training_start_));
    saves_.Resolve(order_before, NotSaved(failure));
  }
  if (std::string folder = keeper_->TakeDiscard(); !folder.empty()) actions_.discard = std::move(folder);
  if (const std::optional<CheckpointToCommit> commit = keeper_->TakeCommit()) {
    committing_ = Actions::Commit{
        DescribeCheckpoint(*commit, assignment_, members_.worker(0)->setup, tasks_at_order_,
                           resume_ ? &*resume_ : nullptr, now_),
        commit->folder};
    actions_.commit = committing_;
  }
  if (changed) StateChanged();
  AnswerSaves();
}

// ------------------------------------------------------------------------------ by hand

absl::Status CoordinatorCore::CheckMaySave() const {
  if (phase_ == v1::FAILED) return FailedStatus();
  if (phase_ == v1::STARTING) {
    return absl::FailedPreconditionError(
        "there is nothing to save yet: the training has not begun; ask again a little later");
  }
  if (phase_ != v1::TRAINING) {
    return absl::FailedPreconditionError(
        "the training has ended: its last checkpoint is being saved or has been");
  }
  if (keeper_->enabled()) return absl::OkStatus();
  return absl::FailedPreconditionError("this job takes no checkpoints");
}

Actions CoordinatorCore::OnSaveCheckpoint(CallId call, const v1::SaveCheckpointRequest& request,
                                          absl::Time now) {
  now_ = now;
  uint64_t ticket = request.ticket();
  absl::Status status = CheckJob(request.job_id());
  if (status.ok() && ticket == 0) {
    status = CheckMaySave();
    if (status.ok()) ticket = saves_.Open(keeper_->Request(CurrentStep()));
  } else if (status.ok()) {
    status = saves_.Find(ticket).status();
  }
  if (!status.ok()) {
    Answer(call, status);
    return Flush();
  }
  saving_calls_.Park({call, now + absl::Milliseconds(request.wait_ms()), ticket});
  if (phase_ == v1::TRAINING) FollowKeeper(keeper_->Tick(now, CurrentStep()));
  AnswerSaves();
  return Flush();
}

void CoordinatorCore::AnswerSaves() {
  for (const ParkedCalls::Entry& entry : saving_calls_.TakeAll()) {
    const auto found = saves_.Find(entry.owner);
    if (!found.ok()) {
      Answer(entry.call, found.status());
    } else if (!found->has_value()) {
      saving_calls_.Park(entry);
    } else if ((*found)->ok()) {
      Answer(entry.call, ***found);
    } else {
      Answer(entry.call, (*found)->status());
    }
  }
  for (const ParkedCalls::Entry& entry : saving_calls_.TakeExpired(now_)) {
    v1::SaveCheckpointReply reply;
    reply.set_ticket(entry.owner);
    reply.set_waiting_for(keeper_->WaitingFor());
    Answer(entry.call, std::move(reply));
  }
}

// What was asked for and is not there will not come any more, unless the newest has everything.
void CoordinatorCore::EndSaves() {
  const bool has_all = failure_.empty() && plan_ && plan_->sync && newest_saved_ &&
                       newest_saved_->step() == reports_->steps();
  if (has_all) saves_.ResolveAll(*newest_saved_);
  const std::string why = failure_.empty() ? "the job has ended" : "the job has failed: " + failure_;
  saves_.ResolveAll(NotSaved(why));
  AnswerSaves();
}

// ------------------------------------------------------------------------------ the owner's side

Actions CoordinatorCore::OnCheckpointCommitted(const absl::Status& status, absl::Time now) {
  now_ = now;
  if (ended() || !committing_) return Flush();
  const Actions::Commit committed = *std::exchange(committing_, std::nullopt);
  AddEvent(status.ok() ? CheckpointLine(committed.manifest, generation_, now - training_start_)
                       : CheckpointFailureLine(std::string(status.message()), generation_, now - training_start_));
  if (status.ok()) {
    newest_saved_ = SavedReply(checkpoints_, committed.manifest);
    saves_.Resolve(order_, *newest_saved_);
  } else {
    actions_.discard = committed.folder;
    saves_.Resolve(order_, NotSaved(std::string(status.message())));
  }
  FollowKeeper(keeper_->OnCommitted(status.ok(), now, CurrentStep()));
  EndIfSaved();
  return Flush();
}

}  // namespace convoy
