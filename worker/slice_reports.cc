#include "worker/slice_reports.h"

#include <utility>

#include "common/status.h"
#include "worker/evaluation.h"

namespace convoy {

SliceReports::SliceReports(const TrainingContext& context)
    : context_(context),
      training_(context.assignment.job().training()),
      per_epoch_(PlanOf(context).per_epoch()),
      reported_to_(context.assignment.restore().step()) {
  for (uint32_t s = context.assignment.slice_begin(); s < context.assignment.slice_end(); ++s) {
    metrics_.emplace_back(MetricClasses(context.model), /*keep_scores=*/false);
  }
}

void SliceReports::Add(uint32_t slice, const BatchOutput& output, const Batch& batch) {
  AddBatch(context_.model, output, batch, &metrics_[slice - context_.assignment.slice_begin()]);
}

bool SliceReports::ReportsAfter(uint64_t step) const {
  const uint64_t in_epoch = step % per_epoch_;
  return in_epoch == 0 || in_epoch % training_.report_every_steps() == 0;
}

bool SliceReports::ValidatesAfter(uint64_t step) const {
  const uint64_t every = training_.validate_every_epochs();
  return every > 0 && step % (per_epoch_ * every) == 0;
}

bool SliceReports::ValidatesBefore(uint64_t step) const {
  return step == 0 && context_.assignment.has_init() && context_.validation_old != nullptr;
}

absl::Status SliceReports::ReportTraining(uint64_t step, Events events) {
  if (step == reported_to_) return absl::OkStatus();
  for (uint32_t i = 0; i < metrics_.size(); ++i) {
    v1::ReportRequest report;
    report.set_kind(v1::ReportRequest::TRAIN);
    report.set_part(context_.assignment.slice_begin() + i);
    report.set_step_begin(reported_to_);
    report.set_step_end(step);
    *report.mutable_sums() = metrics_[i].Take();
    if (i == 0) {
      report.set_skipped(events.skipped);
      report.set_dropped(events.dropped);
      report.set_staleness_count(events.staleness.count);
      report.set_staleness_sum(events.staleness.sum);
      report.set_staleness_max(events.staleness.max);
      report.set_staleness_min(events.staleness.min);
    }
    CONVOY_RETURN_IF_ERROR(context_.session.Report(std::move(report)));
  }
  reported_to_ = step;
  return absl::OkStatus();
}

absl::Status SliceReports::Measure(const Dataset* data, v1::ReportRequest::Kind kind, uint64_t version,
                                   WeightSource& weights, const std::function<absl::Status()>& between) {
  if (data == nullptr) return absl::OkStatus();
  const auto size = static_cast<uint64_t>(data->size());
  const uint32_t first = context_.assignment.slice_begin();
  std::vector<Range> parts;
  for (uint32_t slice = first; slice < context_.assignment.slice_end(); ++slice) {
    parts.push_back(SliceRange(slice, context_.assignment.slices(), size));
  }
  CONVOY_ASSIGN_OR_RETURN(
      std::vector<v1::MetricSums> sums,
      EvaluateParts(*data, parts, context_.threads, context_.models, weights, between,
                    context_.train.negative_rate));
  for (uint32_t i = 0; i < sums.size(); ++i) {
    v1::ReportRequest report;
    report.set_kind(kind);
    report.set_part(first + i);
    report.set_step_begin(version);
    report.set_step_end(version);
    *report.mutable_sums() = std::move(sums[i]);
    CONVOY_RETURN_IF_ERROR(context_.session.Report(std::move(report)));
  }
  return absl::OkStatus();
}

}  // namespace convoy
