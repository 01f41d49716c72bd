#include "launcher/commands/replacements.h"

#include <signal.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/status.h"

namespace convoy {
absl::StatusOr<bool> Replacements::GoesOn(uint64_t examples) {
  const std::vector<JobProcesses::Failure> failures = control_->processes()->Failures();
  for (const JobProcesses::Failure& failure : failures) {
    if (!failure.killed || !(failure.worker || failure.coordinator)) return false;
  }
  // Workers are reported to the one that comes.
  for (const JobProcesses::Failure& failure : failures) {
    if (failure.coordinator) return ReplaceCoordinator(failure, examples);
  }
  return ReplaceWorkers(failures, examples);
}

absl::StatusOr<bool> Replacements::ReplaceCoordinator(const JobProcesses::Failure& failure,
                                                      uint64_t examples) {
  const RestartPolicy::Decision decision =
      policy_->OnLoss({failure.cause, failure.crashed, examples, /*replaceable=*/true});
  if (decision.remedy != RestartPolicy::Remedy::kReplace) return false;
  screen_->Print(absl::StrCat("warning: ", failure.crashed ? failure.description : failure.cause,
                              "; another coordinator is started"));
  control_->WaitUnlessStopped(decision.delay);
  const std::shared_ptr<JobProcesses> processes = control_->processes();
  processes->Forgive(failure.pid);
  const absl::Status replaced = processes->ReplaceCoordinator();
  // Before it could say where it is: the next one takes its place.
  if (!replaced.ok() && CoordinatorWasKilled()) return true;
  CONVOY_RETURN_IF_ERROR(
      Annotate(replaced, absl::StrCat(failure.cause, "; another one can't go on")));
  screen_->ProcessesChanged(*processes);
  return true;
}

absl::StatusOr<bool> Replacements::ReplaceWorkers(
    const std::vector<JobProcesses::Failure>& failures, uint64_t examples) {
  const std::shared_ptr<JobProcesses> processes = control_->processes();
  std::vector<int> ranks;
  Loss loss{"", false, examples, /*replaceable=*/true};
  for (const JobProcesses::Failure& failure : failures) {
    const absl::StatusOr<v1::ProcessLostReply> reply = SayLost(failure);
    // That one first.
    if (!reply.ok() && CoordinatorHasDied()) return true;
    if (absl::IsUnavailable(reply.status()) && KillSilentCoordinator()) return true;
    if (!reply.ok() || reply->remedy() == v1::ProcessLostReply::RESTORE) return false;
    if (reply->remedy() == v1::ProcessLostReply::NOTHING) continue;
    ranks.push_back(reply->any_rank() ? -1 : static_cast<int>(failure.rank));
    loss.cause = failure.cause;
    loss.crashed |= failure.crashed;
  }
  if (!ranks.empty()) {
    const RestartPolicy::Decision decision = policy_->OnLoss(loss);
    if (decision.remedy != RestartPolicy::Remedy::kReplace) return false;
    for (const JobProcesses::Failure& failure : failures) {
      if (failure.crashed) screen_->Print(failure.description);
    }
    control_->WaitUnlessStopped(decision.delay);
  }
  for (const int rank : ranks) CONVOY_RETURN_IF_ERROR(processes->ReplaceWorker(rank));
  for (const JobProcesses::Failure& failure : failures) processes->Forgive(failure.pid);
  screen_->ProcessesChanged(*processes);
  return true;
}

absl::StatusOr<v1::ProcessLostReply> Replacements::SayLost(
    const JobProcesses::Failure& failure) const {
  const absl::Time give_up = SteadyNow() + kCoordinatorSilence;
  for (;;) {
    const auto reply = control_->client()->ProcessLost(
        v1::WORKER, failure.rank, static_cast<uint64_t>(failure.pid), failure.cause);
    if (!absl::IsUnavailable(reply.status()) || SteadyNow() > give_up) return reply;
    if (CoordinatorHasDied()) return reply;
  }
}

bool Replacements::KillSilentCoordinator() {
  if (!replaces_) return false;
  const std::shared_ptr<JobProcesses> processes = control_->processes();
  for (const ClusterProcess& process : processes->processes()) {
    if (process.role != "coordinator") continue;
    screen_->Print(absl::StrCat("warning: the coordinator (pid ", process.pid,
                                ") has not answered for ",
                                absl::FormatDuration(kCoordinatorSilence), " and is killed"));
    processes->Signal(static_cast<pid_t>(process.pid), SIGKILL);
  }
  return true;
}

bool Replacements::NobodyIsLeft() const {
  return control_->processes()->WaitUntilAllExited(absl::ZeroDuration());
}

bool Replacements::CoordinatorHasDied() const {
  return std::ranges::any_of(control_->processes()->Failures(),
                             &JobProcesses::Failure::coordinator);
}

bool Replacements::CoordinatorWasKilled() const {
  return std::ranges::any_of(
      control_->processes()->Failures(),
      [](const JobProcesses::Failure& failure) { return failure.coordinator && failure.killed; });
}

}  // namespace convoy
