#include <algorithm>
#include <utility>
#include <vector>

#include "common/metrics/metrics.h"
#include "common/placement/slice_tree.h"
#include "common/status.h"
#include "worker/data/batches.h"
#include "worker/evaluation.h"
#include "worker/example_reader.h"
#include "worker/gradient_push.h"
#include "worker/training.h"

namespace convoy {
namespace {

class SyncTraining {
 public:
  explicit SyncTraining(const TrainingContext& context)
      : context_(context),
        training_(context.assignment.job().training()),
        examples_(context.train.epoch_size()),
        per_epoch_(StepsPerEpoch(examples_, training_.batch_size())),
        tree_(context.assignment.slices()),
        // Pairs of slices are added up here before they are sent; larger subtrees would need more memory.
        nodes_(tree_.Subtrees(context.assignment.slice_begin(), context.assignment.slice_end(), 1)),
        weights_(&context.parameters),
        push_(&context.parameters, {training_.nan_policy() == v1::Training::SKIP,
                                    context.assignment.job().optimizer().clip_norm()}),
        reader_(&context.train) {
    for (uint32_t s = context.assignment.slice_begin(); s < context.assignment.slice_end(); ++s) {
      metrics_.emplace_back(MetricClasses(context.model), /*keep_scores=*/false);
    }
  }

  absl::Status Run() {
    if (nodes_.empty()) return absl::OkStatus();   // a spare
    CONVOY_RETURN_IF_ERROR(context_.parameters.PullAll(0));
    uint64_t step = 0;
    for (; step < TotalSteps(); ++step) {
      CONVOY_ASSIGN_OR_RETURN(const bool begin, context_.session.BeginStep(step));
      if (!begin) break;
      CONVOY_RETURN_IF_ERROR(Step(step));
      const uint64_t in_epoch = (step + 1) % per_epoch_;
      if (in_epoch % training_.report_every_steps() == 0 || in_epoch == 0) {
        CONVOY_RETURN_IF_ERROR(ReportTraining(step + 1));
      }
      if (in_epoch == 0 && ValidatesAfter((step + 1) / per_epoch_) && step + 1 < TotalSteps()) {
        CONVOY_RETURN_IF_ERROR(Measure(context_.validation, v1::ReportRequest::VALIDATION, step + 1));
      }
    }
    CONVOY_RETURN_IF_ERROR(context_.parameters.WaitUntilAnswered());
    CONVOY_RETURN_IF_ERROR(ReportTraining(step));
    CONVOY_RETURN_IF_ERROR(Measure(context_.validation, v1::ReportRequest::VALIDATION, step));
    return Measure(context_.test, v1::ReportRequest::TEST, step);
  }

 private:
  uint64_t TotalSteps() const {
    const uint64_t steps = per_epoch_ * training_.epochs();
    return training_.max_steps() > 0 ? std::min(steps, training_.max_steps()) : steps;
  }

  bool ValidatesAfter(uint64_t epochs) const {
    return training_.validate_every_epochs() > 0 && epochs % training_.validate_every_epochs() == 0;
  }

  absl::Status Step(uint64_t step) {
    const EpochRange batch = BatchRange(step, examples_, training_.batch_size());
    for (const TreeNode& node : nodes_) {
      ParameterClient::PushHeader header;
      header.step = step;
      header.node = node;
      header.pull = node == nodes_.back();
      for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
        header.examples += static_cast<uint32_t>(SlicePositions(slice, tree_.slices(), batch.positions).size());
      }
      CONVOY_RETURN_IF_ERROR(push_.Begin(header));
      for (uint32_t slice = tree_.begin(node); slice < tree_.end(node); ++slice) {
        CONVOY_RETURN_IF_ERROR(Slice(batch, slice, slice + 1 == tree_.end(node)));
      }
      CONVOY_RETURN_IF_ERROR(push_.End());
    }
    return absl::OkStatus();
  }

  absl::Status Slice(const EpochRange& batch, uint32_t slice, bool last) {
    const Range positions = SlicePositions(slice, tree_.slices(), batch.positions);
    if (positions.empty()) return absl::OkStatus();
    CONVOY_RETURN_IF_ERROR(reader_.Read(batch.epoch, positions, &batch_));
    push_.BeginSlice(last);
    CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, context_.model.Train(batch_, weights_, push_));
    MetricAccumulator& metrics = metrics_[slice - context_.assignment.slice_begin()];
    metrics.Add(output.loss, output.predictions, context_.model.outputs(), batch_.labels);
    CONVOY_ASSIGN_OR_RETURN(const bool sent, push_.EndSlice(static_cast<uint32_t>(positions.size())));
    if (!sent) ++skipped_;
    return absl::OkStatus();
  }

  absl::Status ReportTraining(uint64_t step_end) {
    if (step_end == reported_to_) return absl::OkStatus();
    const Staleness staleness = context_.parameters.TakeStaleness();
    for (uint32_t i = 0; i < metrics_.size(); ++i) {
      v1::ReportRequest report;
      report.set_kind(v1::ReportRequest::TRAIN);
      report.set_part(context_.assignment.slice_begin() + i);
      report.set_step_begin(reported_to_);
      report.set_step_end(step_end);
      *report.mutable_sums() = metrics_[i].Take();
      if (i == 0) {
        report.set_skipped(std::exchange(skipped_, 0));
        report.set_staleness_count(staleness.count);
        report.set_staleness_sum(staleness.sum);
        report.set_staleness_max(staleness.max);
        report.set_staleness_min(staleness.min);
      }
      CONVOY_RETURN_IF_ERROR(context_.session.Report(std::move(report)));
    }
    reported_to_ = step_end;
    context_.session.SetBytes(context_.parameters.bytes_sent(), context_.parameters.bytes_received());
    return absl::OkStatus();
  }

  // Nobody can move on meanwhile: the slices of this worker have not pushed step `version` yet.
  absl::Status Measure(const Dataset* data, v1::ReportRequest::Kind kind, uint64_t version) {
    if (data == nullptr) return absl::OkStatus();
    const auto size = static_cast<uint64_t>(data->size());
    for (uint32_t slice = context_.assignment.slice_begin(); slice < context_.assignment.slice_end(); ++slice) {
      CONVOY_ASSIGN_OR_RETURN(
          v1::MetricSums sums,
          Evaluate(*data, SliceRange(slice, tree_.slices(), size), context_.model, weights_,
                   [this] { return context_.parameters.Poll(); }));
      v1::ReportRequest report;
      report.set_kind(kind);
      report.set_part(slice);
      report.set_step_begin(version);
      report.set_step_end(version);
      *report.mutable_sums() = std::move(sums);
      CONVOY_RETURN_IF_ERROR(context_.session.Report(std::move(report)));
    }
    return absl::OkStatus();
  }

  const TrainingContext& context_;
  const v1::Training& training_;
  const uint64_t examples_;    // of an epoch
  const uint64_t per_epoch_;   // steps
  const SliceTree tree_;
  const std::vector<TreeNode> nodes_;
  PulledWeights weights_;
  GradientPush push_;
  ExampleReader reader_;
  Batch batch_;
  std::vector<MetricAccumulator> metrics_;   // by own slice
  uint64_t reported_to_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace

absl::Status TrainSync(const TrainingContext& context) { return SyncTraining(context).Run(); }

}  // namespace convoy
