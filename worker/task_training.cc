#include <utility>

#include "common/metrics/metrics.h"
#include "common/mode.h"
#include "common/status.h"
#include "worker/data/batches.h"
#include "worker/evaluation.h"
#include "worker/example_reader.h"
#include "worker/gradient_push.h"
#include "worker/training.h"

namespace convoy {
namespace {

class TaskTraining {
 public:
  explicit TaskTraining(const TrainingContext& context)
      : context_(context),
        training_(context.assignment.job().training()),
        ssp_(ParseMode(training_.mode())->kind == Mode::Kind::kSsp),
        batch_size_((training_.batch_size() + training_.slices() - 1) / training_.slices()),
        weights_(&context.parameters),
        push_(&context.parameters, {training_.nan_policy() == v1::Training::SKIP,
                                    context.assignment.job().optimizer().clip_norm()}),
        reader_(&context.train),
        metrics_(MetricClasses(context.model), /*keep_scores=*/false) {}

  absl::Status Run() {
    uint64_t completed = 0;
    for (;;) {
      CONVOY_ASSIGN_OR_RETURN(const v1::NextTaskReply reply, NextTask(completed));
      context_.parameters.SetCompletedTask(completed);
      if (reply.end()) break;
      if (reply.task().validation()) {
        CONVOY_RETURN_IF_ERROR(Validate(reply.task()));
      } else {
        CONVOY_ASSIGN_OR_RETURN(const bool complete, Train(reply.task()));
        if (!complete) break;   // asked to stop
      }
      completed = reply.task().id();
    }
    return LeaveClocks();
  }

 private:
  // Whoever waits for a task must not hold up the clocks of those who have one.
  absl::StatusOr<v1::NextTaskReply> NextTask(uint64_t completed) {
    if (!joined_) return context_.coordinator.NextTask(completed);
    CONVOY_ASSIGN_OR_RETURN(v1::NextTaskReply reply, context_.coordinator.NextTask(completed, /*wait=*/false));
    if (reply.has_task() && !reply.task().validation()) return reply;
    CONVOY_RETURN_IF_ERROR(LeaveClocks());
    if (reply.has_task() || reply.end()) return reply;
    return context_.coordinator.NextTask(completed);
  }

  absl::Status LeaveClocks() {
    if (!std::exchange(joined_, false)) return absl::OkStatus();
    return context_.parameters.LeaveClocks();
  }

  absl::Status JoinAndPull() {
    if (pulled_ && (joined_ || !ssp_)) return absl::OkStatus();
    ExchangeRequest header;
    header.clock = batches_;
    header.clock_event = ssp_ ? ClockEvent::kJoin : ClockEvent::kNone;
    joined_ = ssp_;
    pulled_ = true;
    return context_.parameters.PullAll(0, header);
  }

  // False: stopped before the end of the task.
  absl::StatusOr<bool> Train(const v1::DataTask& task) {
    CONVOY_RETURN_IF_ERROR(JoinAndPull());
    const Range range{task.begin(), task.end()};
    const uint64_t batches = TaskBatches(range, batch_size_);
    uint64_t k = 0;
    for (; k < batches; ++k) {
      CONVOY_RETURN_IF_ERROR(context_.session.alive());
      CONVOY_RETURN_IF_ERROR(TrainBatch(task, k, TaskBatch(range, batch_size_, k)));
      if (!context_.session.CountBatches(batches_)) break;
    }
    CONVOY_RETURN_IF_ERROR(context_.parameters.WaitUntilAnswered());
    if (k < batches) return false;
    CONVOY_RETURN_IF_ERROR(ReportTraining(task));
    return true;
  }

  absl::Status TrainBatch(const v1::DataTask& task, uint64_t number, const Range& positions) {
    ParameterClient::PushHeader header;
    header.task = task.id();
    header.batch = number;
    header.examples = static_cast<uint32_t>(positions.size());
    header.clock = ++batches_;
    header.pull = true;
    CONVOY_RETURN_IF_ERROR(reader_.Read(task.epoch(), positions, &batch_));
    CONVOY_RETURN_IF_ERROR(push_.Begin(header));
    push_.BeginSlice(/*last=*/true);
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, context_.model.Train(batch_, weights_, push_));
    metrics_.Add(output.loss, output.predictions, context_.model.outputs(), batch_.labels);
    CONVOY_ASSIGN_OR_RETURN(const bool sent, push_.EndSlice(header.examples));
    if (!sent) ++skipped_;
    return push_.End();
  }

  absl::Status ReportTraining(const v1::DataTask& task) {
    const Staleness staleness = context_.parameters.TakeStaleness();
    v1::ReportRequest report = NewReport(task, v1::ReportRequest::TRAIN);
    *report.mutable_sums() = metrics_.Take();
    report.set_skipped(std::exchange(skipped_, 0));
    report.set_staleness_count(staleness.count);
    report.set_staleness_sum(staleness.sum);
    report.set_staleness_max(staleness.max);
    report.set_staleness_min(staleness.min);
    context_.session.SetBytes(context_.parameters.bytes_sent(), context_.parameters.bytes_received());
    return context_.session.Report(std::move(report));
  }

  // On the newest weights; others may go on training meanwhile, except after the last epoch.
  absl::Status Validate(const v1::DataTask& task) {
    const Dataset* const data = task.test() ? context_.test : context_.validation;
    if (data == nullptr) return absl::InternalError("a task of validation or test, but no data for it");
    CONVOY_RETURN_IF_ERROR(context_.parameters.PullAll(0));
    pulled_ = true;
    CONVOY_RETURN_IF_ERROR(context_.parameters.WaitForWeights());
    CONVOY_ASSIGN_OR_RETURN(v1::MetricSums sums,
                            Evaluate(*data, {task.begin(), task.end()}, context_.model, weights_,
                                     [this] { return context_.session.alive(); }));
    v1::ReportRequest report = NewReport(task, task.test() ? v1::ReportRequest::TEST : v1::ReportRequest::VALIDATION);
    *report.mutable_sums() = std::move(sums);
    return context_.session.Report(std::move(report));
  }

  static v1::ReportRequest NewReport(const v1::DataTask& task, v1::ReportRequest::Kind kind) {
    v1::ReportRequest report;
    report.set_kind(kind);
    report.set_part(task.id());
    report.set_step_begin(task.epoch());
    report.set_step_end(task.epoch());
    return report;
  }

  const TrainingContext& context_;
  const v1::Training& training_;
  const bool ssp_;
  const uint64_t batch_size_;
  PulledWeights weights_;
  GradientPush push_;
  ExampleReader reader_;
  MetricAccumulator metrics_;
  Batch batch_;
  uint64_t batches_ = 0;    // pushed by this worker: its clock
  bool joined_ = false;     // to the clocks
  bool pulled_ = false;
  uint64_t skipped_ = 0;
};

}  // namespace

absl::Status TrainTasks(const TrainingContext& context) { return TaskTraining(context).Run(); }

}  // namespace convoy
