// The fifth part of CoordinatorCore: data tasks, and what workers report of them.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/placement/ownership.h"
#include "common/status.h"
#include "launcher/coordinator/coordinator_core.h"

namespace convoy {

Actions CoordinatorCore::OnNextTask(CallId call, const v1::NextTaskRequest& request,
                                    absl::Time now) {
  now_ = now;
  const absl::StatusOr<Process*> worker = FindTrainingWorker(request.identity());
  absl::Status status = worker.status();
  if (status.ok() && !tasks_) {
    status = absl::FailedPreconditionError(
        "there are no data tasks in mode sync: every step has its own global batch");
  }
  const uint32_t rank = request.identity().rank();
  if (status.ok()) status = tasks_->Complete(rank, request.completed());
  if (!status.ok()) {
    Answer(call, status);
    return Flush();
  }
  if (request.ahead()) {
    v1::NextTaskReply reply;
    std::optional<v1::DataTask> task = stop_.step() == 0 ? tasks_->NextAhead(rank) : std::nullopt;
    if (task) *reply.mutable_task() = *std::move(task);
    Answer(call, std::move(reply));
    ServeTasks();  // an epoch that is complete now is to be measured
    return Flush();
  }
  next_tasks_.Park({call, now + absl::Milliseconds(request.wait_ms()), rank});
  ServeTasks();
  for (const auto& entry : next_tasks_.TakeExpired(now)) Answer(entry.call, v1::NextTaskReply());
  return Flush();
}

Actions CoordinatorCore::OnReport(CallId call, const v1::ReportRequest& request, absl::Time now) {
  now_ = now;
  const absl::StatusOr<Process*> worker = FindTrainingWorker(request.identity());
  absl::Status status = worker.status();
  if (status.ok()) status = CheckReport(request);
  absl::StatusOr<std::string> line =
      status.ok() ? reports_->Add(request, now) : absl::StatusOr<std::string>(status);
  if (!line.ok()) {
    Answer(call, worker.ok() ? Annotate(line.status(), (*worker)->name()) : line.status());
    return Flush();
  }
  if (!line->empty()) AddEvent(*line);
  if (request.kind() == v1::ReportRequest::PARTIAL) TakePartial(request);
  if (request.kind() == v1::ReportRequest::VALIDATION && !line->empty()) FollowValidation(*line);
  Answer(call, v1::ReportReply());
  return Flush();
}

absl::Status CoordinatorCore::CheckReport(const v1::ReportRequest& report) const {
  if (tasks_) return tasks_->CheckReport(report.kind(), report.part(), report.step_begin());
  const SliceSpan owned =
      OwnedSlices(report.identity().rank(), members_.workers(), job_.training().slices());
  if (report.part() >= owned.begin && report.part() < owned.end) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "report on slice ", report.part(), ": it owns slices [", owned.begin, ", ", owned.end, ")"));
}

}  // namespace convoy
