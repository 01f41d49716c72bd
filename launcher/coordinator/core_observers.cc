// The eighth part of CoordinatorCore: what those who watch the job are told, and what is noticed
// for them.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "launcher/coordinator/balance.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/process_info.h"
#include "launcher/coordinator/rehearsal_notes.h"
#include "launcher/coordinator/table_room.h"

namespace convoy {
namespace {

constexpr size_t kMaxObservers = 256;

}  // namespace

Actions CoordinatorCore::OnGetProgress(CallId call, const v1::GetProgressRequest& request,
                                       absl::Time now) {
  now_ = now;
  const bool news = request.seen() != news_ || request.events_seen() < events_.size();
  if (absl::Status status = CheckJob(request.job_id()); !status.ok()) {
    Answer(call, status);
  } else if (news || request.wait_ms() == 0) {
    Answer(call, Progress(request.events_seen()));
  } else if (observers_.size() >= kMaxObservers) {
    Answer(call, absl::ResourceExhaustedError(
                     absl::StrCat(kMaxObservers, " observers are waiting already")));
  } else {
    observers_.Park({call, now + absl::Milliseconds(request.wait_ms()), 0, request.events_seen()});
  }
  return Flush();
}

v1::GetProgressReply CoordinatorCore::Look(uint64_t events_seen, absl::Time now) {
  now_ = now;
  return Progress(events_seen);
}

v1::GetProgressReply CoordinatorCore::Progress(uint64_t events_seen) const {
  v1::GetProgressReply reply;
  reply.set_phase(phase_);
  reply.set_failure(failure_);
  events_.Read(events_seen, &reply);
  reply.set_waiting_for(WaitingFor());
  reply.set_examples(ExamplesSoFar());
  reply.set_total_examples(plan_ ? plan_->TotalExamples() : 0);
  reply.set_summary(summary_);
  if (plan_) {
    for (const std::string& note : RehearsalNotes(assignment_.job(), members_))
      reply.add_notes(note);
  }
  if (!imbalance_.empty()) reply.add_notes(imbalance_);
  if (!full_tables_.empty()) reply.add_notes(full_tables_);
  reply.set_sequence(news_);
  reply.set_job_id(job_id_);
  reply.set_generation(generation_);
  if (plan_) *reply.mutable_job() = assignment_.job();
  if (plan_) *reply.mutable_memory() = memory_;
  for (size_t i = 0; i < members_.slots(); ++i) {
    const Process* process = members_.slot(i);
    if (process == nullptr) continue;
    *reply.add_processes() = DescribeProcess(*process, start_);
  }
  // Those that a division has left behind, for a while: whoever started them is to end them.
  if (phase_ == v1::TRAINING && now_ < divided_at_ + lost_after_) {
    for (v1::ProcessInfo& info : members_.LostOldOnes()) *reply.add_processes() = std::move(info);
  }
  *reply.mutable_figures() = Figures();
  reply.set_restorable(restorable_);
  if (phase_ == v1::TRAINING && members_.SomebodyIsToCome())
    reply.set_wanted_workers(wanted_workers_);
  reply.set_stopping(stop_.step() != 0 && early_stopping_.empty() && !scaling_);
  return reply;
}

v1::JobFigures CoordinatorCore::Figures() const {
  v1::JobFigures figures;
  figures.set_now_ms(MillisecondsSince(start_, now_));
  figures.set_workers_lost(workers_lost_);
  figures.set_restarts(earlier_.restarts);
  if (!plan_) return figures;
  figures.set_training_ms(MillisecondsSince(start_, training_start_));
  figures.set_step(CurrentStep());
  figures.set_total_steps(plan_->TotalSteps());
  figures.set_skipped(reports_->skipped());
  figures.set_dropped(reports_->dropped());
  if (!keeper_) return figures;
  figures.set_checkpoints(keeper_->taken());
  figures.set_failed_checkpoints(keeper_->failed());
  figures.set_newest_checkpoint(keeper_->newest());
  return figures;
}

std::string CoordinatorCore::WaitingFor() const {
  if (phase_ == v1::STARTING) return WaitingForProcesses(members_, now_);
  if (phase_ == v1::FINISHING) {
    if (model_saved_ && !keeper_->done())
      return absl::StrCat("the last checkpoint: ", keeper_->WaitingFor());
    return model_saved_ ? "the last counters of the servers" : "the weights to be saved";
  }
  if (phase_ != v1::TRAINING) return "";
  if (std::string others = WaitingForOthers(members_, now_); !others.empty()) return others;
  if (stop_.step() == 0) return HeldFor();
  if (scaling_) {
    return absl::StrCat("the workers to stop, so that they can be divided anew (",
                        scaling_->workers, " instead of ", members_.workers(), ")");
  }
  if (!stop_.agreed()) {
    return absl::StrCat("all workers to agree to stop before step ", stop_.step());
  }
  return "the workers to finish their last batches";
}

uint64_t CoordinatorCore::ExamplesSoFar() const {
  if (!plan_) return 0;
  const uint64_t estimate = plan_->ExamplesAt(CurrentStep());
  return std::min(std::max(reports_->examples(), estimate), plan_->TotalExamples());
}

// ------------------------------------------------------------------------------ noticed

// Not at once: heartbeats of servers come at different times.
void CoordinatorCore::NoteImbalance() {
  constexpr absl::Duration kWatched = absl::Seconds(10);
  if (!imbalance_.empty() || phase_ != v1::TRAINING || now_ < training_start_ + kWatched) return;
  imbalance_ = DescribeImbalance(members_);
  if (!imbalance_.empty()) News();
}

void CoordinatorCore::NoteFullTables() {
  if (!full_tables_.empty()) return;
  full_tables_ = DescribeFullTables(members_);
  if (!full_tables_.empty()) News();
}

Actions CoordinatorCore::Warn(const std::string& text, absl::Time now) {
  now_ = now;
  AddEvent(WarningLine(text, generation_, plan_ ? Since() : absl::ZeroDuration()));
  return Flush();
}

void CoordinatorCore::NoteStragglers() {
  for (const std::string& news : stragglers_.Look(members_, now_)) {
    AddEvent(WarningLine(news, generation_, Since()));
  }
}

}  // namespace convoy
