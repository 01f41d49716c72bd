#include <algorithm>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/cluster_size.h"
#include "common/metrics/metrics.h"
#include "common/mode.h"
#include "common/placement/slice_tree.h"
#include "common/status.h"
#include "worker/anchor_pull.h"
#include "worker/data/batches.h"
#include "worker/difference_push.h"
#include "worker/evaluation.h"
#include "worker/example_reader.h"
#include "worker/gradient_push.h"
#include "worker/task_source.h"
#include "worker/training.h"
#include "worker/want_rows.h"

namespace convoy {
namespace {

class TaskTraining {
 public:
  static absl::StatusOr<std::unique_ptr<TaskTraining>> Create(const TrainingContext& context,
                                                              ParameterClient& parameters) {
    auto training = std::unique_ptr<TaskTraining>(new TaskTraining(context, parameters));
    if (context.mode.local()) {
      CONVOY_ASSIGN_OR_RETURN(
          training->local_, LocalSteps::Create(LocalOptionsFor(context), context.model.variables(),
                                               context.model.tables()));
    }
    return training;
  }

  absl::Status Run() {
    if (context_.assignment.rejoins()) CONVOY_RETURN_IF_ERROR(Rejoin());
    if (local_ != nullptr) CONVOY_RETURN_IF_ERROR(PullAnchors(parameters_, {&local_, 1}));
    std::optional<v1::DataTask> task;
    for (;;) {
      if (!task) {
        CONVOY_ASSIGN_OR_RETURN(const v1::NextTaskReply reply, NextTask());
        if (reply.end()) break;
        task = reply.task();
      }
      if (task->validation()) {
        CONVOY_RETURN_IF_ERROR(Validate(*task));
        tasks_.Complete(*task);
        task.reset();
      } else {
        tasks_.AskAhead();
        CONVOY_ASSIGN_OR_RETURN(const bool complete, Train(*task));
        CONVOY_ASSIGN_OR_RETURN(std::optional<v1::DataTask> ahead,
                                Waiting([this] { return tasks_.TakeAhead(); }));
        if (!complete) break;  // asked to stop
        tasks_.Complete(*task);
        task = context_.session.CountBatches(batches_) ? std::move(ahead) : std::nullopt;
      }
    }
    return LeaveClocks();
  }

 private:
  TaskTraining(const TrainingContext& context, ParameterClient& parameters)
      : context_(context),
        parameters_(parameters),
        ssp_(context.mode.kind == Mode::Kind::kSsp),
        has_tables_(!context.model.tables().empty()),
        reads_ahead_(context.mode.kind == Mode::Kind::kAsync && has_tables_),
        batch_size_(TaskBatchSize(context.assignment.job())),
        push_size_(batch_size_ * context.mode.local_steps),
        tasks_(&context.coordinator, [this](uint64_t task) { parameters_.AddCompletedTask(task); }),
        weights_(&parameters),
        push_(&parameters, PushOptionsFor(context)),
        reader_(&context.train),
        metrics_(MetricClasses(context.model), /*keep_scores=*/false),
        tree_(static_cast<uint32_t>(context.threads.count())) {
    if (context.threads.count() == 1) return;
    parallel_.emplace(&context.threads, context.models, &context.train,
                      ParallelOptionsFor(context, [this] { return weights_.Poll(); }));
  }

  // The clock of the worker before, those of workers that the job goes on without, and that the one
  // before has completed a task, may be left over.
  absl::Status Rejoin() {
    CONVOY_RETURN_IF_ERROR(context_.session.Rejoin(0, context_.assignment.stop_step()));
    const uint64_t completed = context_.assignment.completed_task();
    if (completed != 0) parameters_.AddCompletedTask(completed);
    return ssp_ ? parameters_.LeaveClocksWithThoseFrom(context_.assignment.world_size())
                : absl::OkStatus();
  }

  // Whoever waits for a task must not hold up the clocks of those who have one.
  absl::StatusOr<v1::NextTaskReply> NextTask() {
    const auto ask = [this](bool wait) {
      return Waiting([this, wait] { return tasks_.Next(wait); });
    };
    if (!joined_) return ask(/*wait=*/true);
    CONVOY_ASSIGN_OR_RETURN(v1::NextTaskReply reply, ask(/*wait=*/false));
    if (reply.has_task() && !reply.task().validation()) return reply;
    CONVOY_RETURN_IF_ERROR(LeaveClocks());
    if (reply.has_task() || reply.end()) return reply;
    return ask(/*wait=*/true);
  }

  // What the call returns, whose time counts as waiting.
  template <typename Call>
  std::invoke_result_t<Call> Waiting(const Call& call) {
    const absl::Time begin = SteadyNow();
    auto result = call();
    parameters_.AddWait(SteadyNow() - begin);
    return result;
  }

  absl::Status LeaveClocks() {
    if (!std::exchange(joined_, false)) return absl::OkStatus();
    return parameters_.LeaveClocks();
  }

  absl::Status JoinAndPull() {
    if (pulled_ && (joined_ || !ssp_)) return absl::OkStatus();
    ExchangeRequest header;
    header.clock = batches_;
    header.clock_event = ssp_ ? ClockEvent::kJoin : ClockEvent::kNone;
    joined_ = ssp_;
    pulled_ = true;
    return parameters_.PullAll(0, header);
  }

  // False: stopped before the end of the task.
  absl::StatusOr<bool> Train(const v1::DataTask& task) {
    CONVOY_RETURN_IF_ERROR(JoinAndPull());
    const Range range{task.begin(), task.end()};
    const uint64_t batches = TaskBatches(range, push_size_);
    uint64_t k = 0;
    for (bool goes_on = true; goes_on && k < batches; ++k) {
      CONVOY_RETURN_IF_ERROR(context_.session.alive());
      const Range next = k + 1 < batches ? TaskBatch(range, push_size_, k + 1) : Range{0, 0};
      CONVOY_RETURN_IF_ERROR(TrainBatch(task, k, TaskBatch(range, push_size_, k), next));
      context_.session.SetCounters(CountersOf(parameters_));
      goes_on = context_.session.CountBatches(batches_);
    }
    CONVOY_RETURN_IF_ERROR(parameters_.WaitUntilAnswered());
    if (k < batches) return false;  // complete with its last batch, even if asked to stop then
    CONVOY_RETURN_IF_ERROR(ReportTraining(task));
    return true;
  }

  // `next`: the batch after it; empty: none.
  absl::Status TrainBatch(const v1::DataTask& task, uint64_t number, const Range& positions,
                          const Range& next) {
    ParameterClient::PushHeader header;
    header.task = task.id();
    header.batch = number;
    header.examples = static_cast<uint32_t>(positions.size());
    header.clock = ++batches_;
    header.pull = true;
    CONVOY_RETURN_IF_ERROR(push_.Begin(header));
    CONVOY_RETURN_IF_ERROR(Contribution(task.epoch(), positions, next));
    return push_.End();
  }

  absl::Status Contribution(uint64_t epoch, const Range& positions, const Range& next) {
    if (local_ != nullptr) return DifferenceAfter(epoch, positions);
    return parallel_ ? SumOfParts(epoch, positions, next) : GradientOf(epoch, positions, next);
  }

  absl::Status GradientOf(uint64_t epoch, const Range& positions, const Range& next) {
    if (std::exchange(is_ahead_, false)) {
      std::swap(batch_, ahead_);
    } else {
      CONVOY_RETURN_IF_ERROR(ReadBatch(epoch, positions, &batch_));
    }
    weights_.UseWantedRows();
    push_.BeginSlice(/*last=*/true, weights_.batches());
    if (reads_ahead_ && next.size() > 0) {
      CONVOY_RETURN_IF_ERROR(ReadBatch(epoch, next, &ahead_));
      is_ahead_ = true;
    }
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output,
                            context_.model.Train(batch_, weights_, push_));
    AddBatch(context_.model, output, batch_, &metrics_);
    CONVOY_ASSIGN_OR_RETURN(const bool sent,
                            push_.EndSlice(static_cast<uint32_t>(positions.size())));
    if (!sent) ++skipped_;
    return absl::OkStatus();
  }

  // Also asks for the rows of tables that the batch reads.
  absl::Status ReadBatch(uint64_t epoch, const Range& positions, Batch* batch) {
    CONVOY_RETURN_IF_ERROR(reader_.Read(epoch, positions, batch));
    return WantRowsOf(context_.model, *batch, weights_, &ids_);
  }

  // The batch in as many parts as there are threads. Of a model with tables its parts are in use.
  absl::Status ComputeParts(uint64_t epoch, const Range& positions, WeightSource& weights) {
    const uint64_t parts = parallel_->slots();
    if (has_tables_) {
      CONVOY_RETURN_IF_ERROR(parallel_->TrainParts(weights));
    } else {
      CONVOY_RETURN_IF_ERROR(parallel_->Run(
          parts, weights, [&](size_t part, ParallelGradients::Slot& slot, WeightSource& all) {
            return parallel_->Gradient(epoch, SlicePositions(part, parts, positions), slot, all);
          }));
    }
    for (size_t part = 0; part < parts; ++part) {
      const ParallelGradients::Slot& slot = parallel_->slot(part);
      if (slot.batch.size == 0) continue;
      AddBatch(context_.model, slot.output, slot.batch, &metrics_);
      if (slot.examples == 0) ++skipped_;
    }
    return absl::OkStatus();
  }

  // Also asks for the rows of tables that the parts of the batch read.
  absl::Status ReadParts(uint64_t epoch, const Range& positions) {
    CONVOY_RETURN_IF_ERROR(parallel_->ReadParts(epoch, positions));
    for (size_t t = 0; t < context_.model.tables().size(); ++t) {
      ids_.clear();
      parallel_->AppendIds(t, &ids_);
      CONVOY_RETURN_IF_ERROR(weights_.WantRows(static_cast<int>(t), ids_));
    }
    return absl::OkStatus();
  }

  // Makes the rows of the batch the current ones, and asks for those of the next one.
  absl::Status TurnToRows(uint64_t epoch, const Range& positions, const Range& next) {
    if (!std::exchange(is_ahead_, false)) CONVOY_RETURN_IF_ERROR(ReadParts(epoch, positions));
    parallel_->UseParts();
    weights_.UseWantedRows();
    if (!reads_ahead_ || next.empty()) return absl::OkStatus();
    is_ahead_ = true;
    return ReadParts(epoch, next);
  }

  // One contribution of all threads.
  absl::Status SumOfParts(uint64_t epoch, const Range& positions, const Range& next) {
    if (has_tables_) CONVOY_RETURN_IF_ERROR(TurnToRows(epoch, positions, next));
    CONVOY_RETURN_IF_ERROR(ComputeParts(epoch, positions, weights_));
    const auto examples = static_cast<uint32_t>(parallel_->Examples(tree_, tree_.root(), 0));
    parameters_.RemoveExamples(static_cast<uint32_t>(positions.size()) - examples);
    if (examples == 0) return absl::OkStatus();
    push_.BeginSlice(/*last=*/true, weights_.batches());
    CONVOY_RETURN_IF_ERROR(AddUp(push_));
    return push_.EndSlice(examples).status();
  }

  absl::Status AddUp(GradientSink& sink) {
    CONVOY_RETURN_IF_ERROR(parallel_->AddUp(tree_, tree_.root(), 0, sink));
    return parallel_->AddUpRows(tree_, tree_.root(), 0, sink);
  }

  // `next`: the batch after it; empty: none.
  absl::Status LocalStep(uint64_t epoch, const Range& positions, const Range& next) {
    const uint64_t seen = epoch * context_.train.epoch_size() + positions.begin;
    if (parallel_) {
      const auto ids = [&](size_t table, std::vector<uint64_t>* of_table) {
        parallel_->AppendIds(table, of_table);
      };
      const auto compute = [&](WeightSource& weights, GradientSink& gradient) -> absl::Status {
        if (has_tables_) parallel_->UseParts();
        CONVOY_RETURN_IF_ERROR(ComputeParts(epoch, positions, weights));
        return AddUp(gradient);
      };
      if (has_tables_) CONVOY_RETURN_IF_ERROR(parallel_->ReadParts(epoch, positions));
      return local_->Step(ids, compute, static_cast<uint32_t>(positions.size()), seen);
    }
    if (std::exchange(is_ahead_, !next.empty())) {
      std::swap(batch_, ahead_);
    } else {
      CONVOY_RETURN_IF_ERROR(reader_.Read(epoch, positions, &batch_));
    }
    if (is_ahead_) CONVOY_RETURN_IF_ERROR(reader_.Read(epoch, next, &ahead_));
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, local_->Step(context_.model, batch_, seen,
                                                                   is_ahead_ ? &ahead_ : nullptr));
    AddBatch(context_.model, output, batch_, &metrics_);
    return absl::OkStatus();
  }

  // geo: steps on one batch after the other; how far they came is the contribution.
  absl::Status DifferenceAfter(uint64_t epoch, const Range& positions) {
    weights_.BeginRound();
    CONVOY_RETURN_IF_ERROR(local_->Begin(weights_));
    const uint64_t batches = TaskBatches(positions, batch_size_);
    for (uint64_t k = 0; k < batches; ++k) {
      const Range next = k + 1 < batches ? TaskBatch(positions, batch_size_, k + 1) : Range{0, 0};
      CONVOY_RETURN_IF_ERROR(LocalStep(epoch, TaskBatch(positions, batch_size_, k), next));
    }
    skipped_ += local_->TakeSkipped();
    return PushDifference(*local_, weights_, /*factor=*/1, static_cast<uint32_t>(positions.size()),
                          /*last=*/true, push_);
  }

  absl::Status ReportTraining(const v1::DataTask& task) {
    const Staleness staleness = parameters_.TakeStaleness();
    v1::ReportRequest report = NewReport(task, v1::ReportRequest::TRAIN);
    *report.mutable_sums() = metrics_.Take();
    report.set_skipped(std::exchange(skipped_, 0));
    report.set_staleness_count(staleness.count);
    report.set_staleness_sum(staleness.sum);
    report.set_staleness_max(staleness.max);
    report.set_staleness_min(staleness.min);
    context_.session.SetCounters(CountersOf(parameters_));
    // Only that of the last task can be lost with this worker.
    CONVOY_RETURN_IF_ERROR(context_.session.SendAll());
    return context_.session.Report(std::move(report));
  }

  // On the newest weights; others may go on training meanwhile, except after the last epoch.
  absl::Status Validate(const v1::DataTask& task) {
    CONVOY_RETURN_IF_ERROR(parameters_.PullAll(0));
    pulled_ = true;
    CONVOY_RETURN_IF_ERROR(parameters_.WaitForWeights());
    const Range all{task.begin(), task.end()};
    if (task.test()) return Measure(task, context_.test, v1::ReportRequest::TEST, all);
    // Positions go through the new examples, then the old ones. Each task has a part of both, which
    // may be empty.
    const uint64_t fresh = SizeOf(context_.validation);
    if (context_.validation != nullptr) {
      CONVOY_RETURN_IF_ERROR(Measure(task, context_.validation, v1::ReportRequest::VALIDATION,
                                     {std::min(all.begin, fresh), std::min(all.end, fresh)}));
    }
    if (context_.validation_old == nullptr) return absl::OkStatus();
    return Measure(task, context_.validation_old, v1::ReportRequest::VALIDATION_OLD,
                   {std::max(all.begin, fresh) - fresh, std::max(all.end, fresh) - fresh});
  }

  static uint64_t SizeOf(const Dataset* data) {
    return data == nullptr ? 0 : static_cast<uint64_t>(data->size());
  }

  absl::Status Measure(const v1::DataTask& task, const Dataset* data, v1::ReportRequest::Kind kind,
                       const Range& all) {
    if (data == nullptr) return absl::InternalError("a task of the test, but no data for it");
    v1::ReportRequest report = NewReport(task, kind);
    CONVOY_ASSIGN_OR_RETURN(
        *report.mutable_sums(),
        EvaluateRange(
            *data, all, context_.threads, context_.models, weights_,
            [this] { return context_.session.alive(); }, context_.train.negative_rate));
    CONVOY_RETURN_IF_ERROR(context_.session.Report(std::move(report)));
    // A task that counts as done is not measured again.
    return context_.session.SendAll();
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
  ParameterClient& parameters_;
  const bool ssp_;
  const bool has_tables_;
  const bool reads_ahead_;  // async: the rows of the next batch come while the current one computes
  const uint64_t batch_size_;  // examples of a gradient, of all threads together
  const uint64_t push_size_;   // of a push: in geo those of all its local steps
  TaskSource tasks_;
  PulledWeights weights_;
  GradientPush push_;
  ExampleReader reader_;
  MetricAccumulator metrics_;
  std::unique_ptr<LocalSteps> local_;  // geo
  Batch batch_, ahead_;
  std::vector<uint64_t> ids_;
  // cluster.threads_per_worker above 1: a batch is summed along the tree of its parts.
  std::optional<ParallelGradients> parallel_;
  const SliceTree tree_;
  uint64_t batches_ = 0;   // pushed by this worker: its clock
  bool is_ahead_ = false;  // ahead_ is the next batch; async: and its rows are asked for
  bool joined_ = false;    // to the clocks
  bool pulled_ = false;
  uint64_t skipped_ = 0;
};

}  // namespace

absl::Status TrainTasks(const TrainingContext& context, ParameterClient& parameters) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<TaskTraining> training,
                          TaskTraining::Create(context, parameters));
  return training->Run();
}

}  // namespace convoy
