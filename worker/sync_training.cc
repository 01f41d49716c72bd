#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "common/placement/slice_tree.h"
#include "common/status.h"
#include "worker/example_reader.h"
#include "worker/gradient_push.h"
#include "worker/local_steps.h"
#include "worker/slice_reports.h"
#include "worker/training.h"
#include "worker/want_rows.h"

namespace convoy {
namespace {

// Pairs of slices are added up here before they are sent; larger subtrees would need more memory.
// Slices that may be dropped travel alone, and so do those that name rows of tables, which differ
// from slice to slice.
uint32_t LargestSum(const TrainingContext& context) {
  return context.mode.backup > 0 || !context.model.tables().empty() ? 0 : 1;
}

class SyncTraining {
 public:
  static absl::StatusOr<std::unique_ptr<SyncTraining>> Create(const TrainingContext& context,
                                                              ParameterClient& parameters) {
    auto training = std::unique_ptr<SyncTraining>(new SyncTraining(context, parameters));
    if (context.mode.local()) {
      CONVOY_ASSIGN_OR_RETURN(training->local_,
                              LocalSteps::Create(LocalOptionsFor(context), context.model.variables()));
    }
    return training;
  }

  absl::Status Run() {
    if (nodes_.empty()) return absl::OkStatus();   // a spare
    CONVOY_RETURN_IF_ERROR(parameters_.PullAll(0));
    uint64_t step = 0;
    while (step < plan_.total()) {
      CONVOY_ASSIGN_OR_RETURN(const bool begin, context_.session.BeginStep(step));
      if (!begin) break;
      CONVOY_RETURN_IF_ERROR(Step(step));
      CONVOY_ASSIGN_OR_RETURN(const uint64_t next, NextStep(step));
      while (step < next) CONVOY_RETURN_IF_ERROR(AfterStep(++step));
    }
    CONVOY_RETURN_IF_ERROR(parameters_.WaitUntilAnswered());
    CONVOY_RETURN_IF_ERROR(ReportTraining(step));
    CONVOY_RETURN_IF_ERROR(Measure(context_.validation, v1::ReportRequest::VALIDATION, step));
    return Measure(context_.test, v1::ReportRequest::TEST, step);
  }

 private:
  SyncTraining(const TrainingContext& context, ParameterClient& parameters)
      : context_(context),
        parameters_(parameters),
        plan_(PlanOf(context)),
        tree_(context.assignment.slices()),
        nodes_(tree_.Subtrees(context.assignment.slice_begin(), context.assignment.slice_end(),
                              LargestSum(context))),
        weights_(&parameters),
        push_(&parameters, PushOptionsFor(context)),
        reader_(&context.train),
        reports_(context) {}

  absl::Status Step(uint64_t step) {
    const EpochRange batch = plan_.Step(step);
    weights_.SetVersion(step);
    for (const TreeNode& node : nodes_) {
      ParameterClient::PushHeader header;
      header.step = step;
      header.node = node;
      header.pull = node == nodes_.back();
      for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
        header.examples += plan_.SliceExamples(batch, slice);
      }
      CONVOY_RETURN_IF_ERROR(push_.Begin(header));
      for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
        const std::vector<Range> parts = plan_.SliceBatches(batch, slice);
        if (parts.empty()) continue;
        const bool last = slice + 1 == tree_.end(node);
        CONVOY_RETURN_IF_ERROR(local_ != nullptr ? LocalSlice(batch.epoch, parts, slice, last)
                                                 : Slice(batch.epoch, parts[0], slice, last));
      }
      CONVOY_RETURN_IF_ERROR(push_.End());
    }
    return absl::OkStatus();
  }

  absl::Status Slice(uint64_t epoch, const Range& positions, uint32_t slice, bool last) {
    CONVOY_RETURN_IF_ERROR(reader_.Read(epoch, positions, &batch_));
    CONVOY_RETURN_IF_ERROR(WantRowsOf(context_.model, batch_, weights_, &ids_));
    weights_.UseWantedRows();
    push_.BeginSlice(last, weights_.batches());
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, context_.model.Train(batch_, weights_, push_));
    reports_.Add(slice, output, batch_);
    CONVOY_ASSIGN_OR_RETURN(const bool sent, push_.EndSlice(static_cast<uint32_t>(positions.size())));
    if (!sent) ++skipped_;
    return absl::OkStatus();
  }

  absl::Status LocalSlice(uint64_t epoch, const std::vector<Range>& parts, uint32_t slice, bool last) {
    CONVOY_RETURN_IF_ERROR(local_->Begin(weights_));
    uint32_t examples = 0;
    for (const Range& part : parts) {
      CONVOY_RETURN_IF_ERROR(reader_.Read(epoch, part, &batch_));
      CONVOY_ASSIGN_OR_RETURN(const BatchOutput output,
                              local_->Step(context_.model, batch_, plan_.SeenBefore(epoch, part.begin)));
      reports_.Add(slice, output, batch_);
      examples += static_cast<uint32_t>(part.size());
      CONVOY_RETURN_IF_ERROR(parameters_.Poll());
    }
    skipped_ += local_->TakeSkipped();
    push_.BeginSlice(last);
    CONVOY_RETURN_IF_ERROR(local_->End(weights_, static_cast<float>(examples), push_));
    return push_.EndSlice(examples).status();
  }

  // With backups the others may have gone on without this worker: it does, too.
  absl::StatusOr<uint64_t> NextStep(uint64_t step) {
    if (context_.mode.backup == 0) return step + 1;
    CONVOY_RETURN_IF_ERROR(parameters_.WaitUntil([&] { return parameters_.applied_step() > step; }));
    const uint64_t next = std::min(parameters_.applied_step(), plan_.total());
    dropped_ += (next - step - 1) * nodes_.size();
    return next;
  }

  absl::Status AfterStep(uint64_t step) {
    if (reports_.ReportsAfter(step)) CONVOY_RETURN_IF_ERROR(ReportTraining(step));
    if (step == plan_.total() || !reports_.ValidatesAfter(step)) return absl::OkStatus();
    return Measure(context_.validation, v1::ReportRequest::VALIDATION, step);
  }

  absl::Status ReportTraining(uint64_t step) {
    SliceReports::Events events;
    events.staleness = parameters_.TakeStaleness();
    events.skipped = std::exchange(skipped_, 0);
    events.dropped = std::exchange(dropped_, 0) + parameters_.TakeDropped();
    context_.session.SetBytes(parameters_.bytes_sent(), parameters_.bytes_received());
    return reports_.ReportTraining(step, events);
  }

  // Nobody can move on meanwhile: the slices of this worker have not pushed step `version` yet.
  absl::Status Measure(const Dataset* data, v1::ReportRequest::Kind kind, uint64_t version) {
    weights_.SetVersion(version);
    return reports_.Measure(data, kind, version, weights_, [this] { return parameters_.Poll(); });
  }

  const TrainingContext& context_;
  ParameterClient& parameters_;
  const StepPlan plan_;
  const SliceTree tree_;
  const std::vector<TreeNode> nodes_;
  PulledWeights weights_;
  GradientPush push_;
  ExampleReader reader_;
  SliceReports reports_;
  std::unique_ptr<LocalSteps> local_;   // local_sgd
  Batch batch_;
  std::vector<uint64_t> ids_;
  uint64_t skipped_ = 0, dropped_ = 0;
};

}  // namespace

absl::Status TrainSync(const TrainingContext& context, ParameterClient& parameters) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<SyncTraining> training, SyncTraining::Create(context, parameters));
  return training->Run();
}

}  // namespace convoy
