#include "worker/local_steps.h"

#include <algorithm>
#include <utility>

#include "common/status.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<LocalSteps>> LocalSteps::Create(
    Options options, const std::vector<VariableSpec>& variables,
    const std::vector<TableSpec>& tables) {
  auto steps = std::unique_ptr<LocalSteps>(new LocalSteps(std::move(options)));
  CONVOY_ASSIGN_OR_RETURN(steps->optimizer_,
                          LocalOptimizer::Create(steps->options_.optimizer, variables));
  for (const VariableSpec& variable : variables) {
    steps->weights_.emplace_back(static_cast<size_t>(variable.size()));
    const bool frozen = steps->optimizer_->frozen(steps->gradient_.size());
    steps->gradient_.emplace_back(frozen ? 0 : static_cast<size_t>(variable.size()));
  }
  for (const TableSpec& table : tables) {
    CONVOY_ASSIGN_OR_RETURN(LocalRows rows,
                            LocalRows::Create(steps->options_.optimizer.optimizer, table));
    steps->rows_.push_back(std::move(rows));
  }
  return steps;
}

std::vector<std::span<float>> LocalSteps::anchors() {
  std::vector<std::span<float>> anchors;
  for (size_t v = 0; v < weights_.size(); ++v) anchors.push_back(optimizer_->anchors(v));
  return anchors;
}

absl::Status LocalSteps::Begin(WeightSource& weights) {
  optimizer_->Reset();
  source_ = &weights;
  asked_ = false;
  for (LocalRows& rows : rows_) rows.Clear();
  for (size_t v = 0; v < weights_.size(); ++v) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const float> values,
                            weights.Weights(static_cast<int>(v)));
    std::copy(values.begin(), values.end(), weights_[v].data());
  }
  return absl::OkStatus();
}

absl::StatusOr<BatchOutput> LocalSteps::Step(Model& model, const Batch& batch, uint64_t seen,
                                             const Batch* next) {
  const auto ids_of = [&model](const Batch& read) {
    return [&model, &read](size_t table, std::vector<uint64_t>* ids) {
      model.AppendIds(read, static_cast<int>(table), ids);
    };
  };
  if (!std::exchange(asked_, next != nullptr)) CONVOY_RETURN_IF_ERROR(AskForRows(ids_of(batch)));
  CONVOY_RETURN_IF_ERROR(WaitForRows());
  if (next != nullptr) CONVOY_RETURN_IF_ERROR(AskForRows(ids_of(*next)));
  BatchOutput output;
  const Compute train = [&](WeightSource& weights, GradientSink& gradient) -> absl::Status {
    CONVOY_ASSIGN_OR_RETURN(output, model.Train(batch, weights, gradient));
    return absl::OkStatus();
  };
  CONVOY_RETURN_IF_ERROR(StepOn(train, static_cast<uint32_t>(batch.size), seen));
  return output;
}

absl::Status LocalSteps::Step(const AppendIds& append_ids, const Compute& compute,
                              uint32_t examples, uint64_t seen) {
  CONVOY_RETURN_IF_ERROR(AskForRows(append_ids));
  CONVOY_RETURN_IF_ERROR(WaitForRows());
  return StepOn(compute, examples, seen);
}

absl::Status LocalSteps::StepOn(const Compute& compute, uint32_t examples, uint64_t seen) {
  CONVOY_RETURN_IF_ERROR(compute(*this, *this));
  if (options_.skip_not_finite && !IsFinite(Spans())) {
    ++skipped_;
    return absl::OkStatus();
  }
  if (options_.clip_norm > 0) ClipNorm(examples, options_.clip_norm, Spans());
  optimizer_->Apply(gradient_, examples, seen, &weights_);
  RowScalars scalars;
  scalars.rate_factor = optimizer_->RateFactor(seen);
  scalars.inverse_count = static_cast<float>(1.0 / static_cast<double>(examples));
  for (LocalRows& rows : rows_) rows.Apply(scalars);
  return absl::OkStatus();
}

absl::Status LocalSteps::AskForRows(const AppendIds& append_ids) {
  std::vector<uint64_t> ids;
  for (size_t t = 0; t < rows_.size(); ++t) {
    ids.clear();
    append_ids(t, &ids);
    const auto table = static_cast<int>(t);
    const std::span<const uint64_t> missing = rows_[t].Missing(ids);
    const uint32_t anchors = rows_[t].anchors();
    CONVOY_RETURN_IF_ERROR(anchors == 0 ? source_->WantRows(table, missing)
                                        : source_->WantRowsAndAnchors(table, missing, anchors));
  }
  return absl::OkStatus();
}

absl::Status LocalSteps::WaitForRows() {
  if (!rows_.empty()) source_->UseWantedRows();
  for (size_t t = 0; t < rows_.size(); ++t) {
    CONVOY_ASSIGN_OR_RETURN(const TableRows arrived, source_->Rows(static_cast<int>(t)));
    rows_[t].Arrive(arrived);
  }
  return absl::OkStatus();
}

std::vector<std::vector<uint64_t>> LocalSteps::UpdatedIds() const {
  std::vector<std::vector<uint64_t>> ids;
  for (const LocalRows& rows : rows_) ids.push_back(rows.UpdatedIds());
  return ids;
}

absl::Status LocalSteps::End(WeightSource& weights, float factor, const TableBatches& batches,
                             GradientSink& sink) {
  // Backwards, as gradients come: the next round needs the first layer first, and it is the last to
  // arrive.
  for (size_t v = weights_.size(); v-- > 0;) {
    if (optimizer_->frozen(v)) continue;
    CONVOY_ASSIGN_OR_RETURN(const std::span<const float> before,
                            weights.Weights(static_cast<int>(v)));
    float* const difference = sink.Gradient(static_cast<int>(v)).data();
    const float* const now = weights_[v].data();
    for (size_t i = 0; i < before.size(); ++i) difference[i] = factor * (now[i] - before[i]);
    CONVOY_RETURN_IF_ERROR(sink.Ready(static_cast<int>(v), 0, static_cast<int64_t>(before.size())));
  }
  for (size_t t = 0; t < rows_.size(); ++t) {
    rows_[t].Differences(factor, batches[t]->rows().places, batches[t]->gradients());
    CONVOY_RETURN_IF_ERROR(sink.RowsReady(static_cast<int>(t)));
  }
  return absl::OkStatus();
}

uint64_t LocalSteps::TakeSkipped() { return std::exchange(skipped_, 0); }

absl::StatusOr<std::span<const float>> LocalSteps::Weights(int variable) {
  return std::as_const(weights_[static_cast<size_t>(variable)]).span();
}

absl::StatusOr<TableRows> LocalSteps::Rows(int table) {
  return rows_[static_cast<size_t>(table)].rows();
}

std::span<float> LocalSteps::RowGradients(int table) {
  return rows_[static_cast<size_t>(table)].gradients();
}

std::span<float> LocalSteps::Gradient(int variable) {
  return gradient_[static_cast<size_t>(variable)].span();
}

GradientSpans LocalSteps::Spans() {
  GradientSpans spans;
  for (AlignedBuffer& buffer : gradient_) spans.push_back(buffer.span());
  for (LocalRows& rows : rows_) spans.push_back(rows.gradients());
  return spans;
}

}  // namespace convoy
