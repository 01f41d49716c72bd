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
  const uint32_t first = context.assignment.slice_begin();
  for (uint32_t s = first; s < context.assignment.slice_end(); ++s) {
    metrics_.emplace_back(MetricClasses(context.model), /*keep_scores=*/false);
  }
  for (const v1::ReportRequest& carried : context.assignment.carried()) {
    if (carried.sums().examples() > 0) metrics_[carried.part() - first].Restore(carried.sums());
    reported_to_ = carried.step_begin();
    events_.Add({{carried.staleness_count(), carried.staleness_sum(), carried.staleness_max(),
                  carried.staleness_min()},
                 carried.skipped(),
                 carried.dropped()});
  }
}

// The stretch that `step` belongs to begins where those of the other slices do; what had been
// summed up of it before is lost.
void SliceReports::BeginAt(uint64_t step) {
  const uint64_t first = reported_to_;
  if (step > first && ValidatesAfter(step)) validates_before_ = step;
  uint64_t begin = step;
  while (begin > first && !ReportsAfter(begin)) --begin;
  if (begin == first) return;
  reported_to_ = begin;
  for (MetricAccumulator& metrics : metrics_) metrics.Take();
  events_ = {};
}

void SliceReports::Events::Add(const Events& other) {
  staleness.Merge(other.staleness);
  skipped += other.skipped;
  dropped += other.dropped;
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
  if (step == 0) return context_.assignment.has_init() && context_.validation_old != nullptr;
  return step == validates_before_;
}

// What happened besides is said with the first slice.
v1::ReportRequest SliceReports::NewTrainingReport(v1::ReportRequest::Kind kind, uint32_t slice,
                                                  uint64_t step) const {
  v1::ReportRequest report;
  report.set_kind(kind);
  report.set_part(context_.assignment.slice_begin() + slice);
  report.set_step_begin(reported_to_);
  report.set_step_end(step);
  if (slice > 0) return report;
  report.set_skipped(events_.skipped);
  report.set_dropped(events_.dropped);
  report.set_staleness_count(events_.staleness.count);
  report.set_staleness_sum(events_.staleness.sum);
  report.set_staleness_max(events_.staleness.max);
  report.set_staleness_min(events_.staleness.min);
  return report;
}

absl::Status SliceReports::ReportTraining(uint64_t step, Events events) {
  events_.Add(events);
  if (step == reported_to_) return absl::OkStatus();
  for (uint32_t i = 0; i < metrics_.size(); ++i) {
    v1::ReportRequest report = NewTrainingReport(v1::ReportRequest::TRAIN, i, step);
    *report.mutable_sums() = metrics_[i].Take();
    CONVOY_RETURN_IF_ERROR(context_.session.Report(std::move(report)));
  }
  reported_to_ = step;
  events_ = {};
  return absl::OkStatus();
}

absl::Status SliceReports::ReportPartial(uint64_t step, const Events& events) {
  events_.Add(events);
  for (uint32_t i = 0; i < metrics_.size(); ++i) {
    v1::ReportRequest report = NewTrainingReport(v1::ReportRequest::PARTIAL, i, step);
    *report.mutable_sums() = metrics_[i].Sums();
    CONVOY_RETURN_IF_ERROR(context_.session.Report(std::move(report)));
  }
  return absl::OkStatus();
}

absl::Status SliceReports::Measure(const Dataset* data, v1::ReportRequest::Kind kind,
                                   uint64_t version, WeightSource& weights,
                                   const std::function<absl::Status()>& between) {
  if (data == nullptr) return absl::OkStatus();
  if (kind != v1::ReportRequest::TEST) {  // that of a version comes once
    const auto [last, first_time] = measured_.try_emplace(kind, version);
    if (!first_time && std::exchange(last->second, version) == version) return absl::OkStatus();
  }
  const auto size = static_cast<uint64_t>(data->size());
  const uint32_t first = context_.assignment.slice_begin();
  std::vector<Range> parts;
  for (uint32_t slice = first; slice < context_.assignment.slice_end(); ++slice) {
    parts.push_back(SliceRange(slice, context_.assignment.slices(), size));
  }
  CONVOY_ASSIGN_OR_RETURN(std::vector<v1::MetricSums> sums,
                          EvaluateParts(*data, parts, context_.threads, context_.models, weights,
                                        between, context_.train.negative_rate));
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
