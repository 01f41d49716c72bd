// The seventh part of CoordinatorCore: another number of workers, on demand.
//
// The workers of a job that runs are fixed. One that is to go on with more or fewer saves a
// checkpoint, and the launcher then starts all processes again from it: in sync and local_sgd the
// slices stay, and with them every bit of the result. What was trained between the checkpoint and
// that moment is trained again.
#include "absl/strings/str_cat.h"
#include "common/job/validate.h"
#include "common/status.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "launcher/coordinator/coordinator_core.h"

namespace convoy {

absl::Status CoordinatorCore::CheckMayScale(uint32_t workers) const {
  if (!launched_) {
    return absl::FailedPreconditionError(
        "nobody could start this job again with other workers: it runs in one process, or was "
        "started by hand; stop it, and go on with --resume and another number of workers");
  }
  CONVOY_RETURN_IF_ERROR(CheckMaySave());
  if (workers == members_.workers()) {
    return absl::InvalidArgumentError(absl::StrCat("the job has ", workers, " workers already"));
  }
  const uint32_t slices = job_.training().slices();
  if (plan_->sync && workers > slices) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers: got ", workers, ", want at most ", slices,
                     ", the slices of a step: others would ",
                     "have nothing to do. A job that may grow needs training.slices: ", workers,
                     " from its beginning"));
  }
  v1::Job job = job_;
  job.mutable_cluster()->set_workers(workers);
  const std::vector<Violation> violations = Validate(job);
  return violations.empty() ? absl::OkStatus()
                            : absl::InvalidArgumentError(violations.front().message);
}

Actions CoordinatorCore::OnScale(CallId call, const v1::ScaleRequest& request, absl::Time now) {
  now_ = now;
  absl::Status status = CheckJob(request.job_id());
  if (status.ok()) status = CheckMayScale(request.workers());
  if (!status.ok()) {
    Answer(call, status);
    return Flush();
  }
  scaling_ = Scaling{request.workers(), saves_.Open(keeper_->Request(CurrentStep()))};
  v1::ScaleReply reply;
  reply.set_ticket(scaling_->ticket);
  Answer(call, reply);
  FollowKeeper(keeper_->Tick(now, CurrentStep()));
  AnswerSaves();
  return Flush();
}

void CoordinatorCore::FollowScaling() {
  if (!scaling_ || scaling_->ticket == 0) return;
  const auto found = saves_.Find(scaling_->ticket);
  if (found.ok() && !found->has_value()) return;
  const absl::Status saved = found.ok() ? (*found)->status() : found.status();
  if (phase_ == v1::TRAINING && saved.ok()) {
    scaling_->ticket = 0;
    return News();
  }
  if (phase_ == v1::TRAINING) {
    AddEvent(WarningLine(absl::StrCat("the job keeps its ", members_.workers(),
                                      " workers: ", std::string(saved.message())),
                         generation_, Since()));
  }
  scaling_.reset();
}

}  // namespace convoy
