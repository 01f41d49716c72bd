#include "worker/models/partly_frozen_model.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/status.h"

namespace convoy {
namespace {

// What a model computes of frozen variables goes nowhere.
class UnfrozenGradients final : public GradientSink {
 public:
  UnfrozenGradients(const FrozenParts& frozen, const std::vector<VariableSpec>& variables,
                    std::vector<AlignedBuffer>& scratch, GradientSink& sink)
      : frozen_(frozen), variables_(variables), scratch_(scratch), sink_(sink) {}

  std::span<float> Gradient(int variable) override {
    const auto v = static_cast<size_t>(variable);
    if (!frozen_.variable(v)) return sink_.Gradient(variable);
    const auto size = static_cast<size_t>(variables_[v].size());
    scratch_[v].Reserve(size);
    return {scratch_[v].data(), size};
  }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    const bool frozen = frozen_.variable(static_cast<size_t>(variable));
    return frozen ? absl::OkStatus() : sink_.Ready(variable, begin, end);
  }
  std::span<float> RowGradients(int table) override { return sink_.RowGradients(table); }
  // Zeros have no part in the norm of the gradient.
  absl::Status RowsReady(int table) override {
    if (!frozen_.table(static_cast<size_t>(table))) return sink_.RowsReady(table);
    std::ranges::fill(sink_.RowGradients(table), 0.0f);
    return absl::OkStatus();
  }

 private:
  const FrozenParts& frozen_;
  const std::vector<VariableSpec>& variables_;
  std::vector<AlignedBuffer>& scratch_;
  GradientSink& sink_;
};

class PartlyFrozenModel final : public Model {
 public:
  PartlyFrozenModel(std::unique_ptr<Model> model, FrozenParts frozen)
      : model_(std::move(model)), frozen_(std::move(frozen)), scratch_(model_->variables().size()) {
    model_->Freeze(frozen_);
  }

  Task task() const override { return model_->task(); }
  int64_t outputs() const override { return model_->outputs(); }
  const std::vector<VariableSpec>& variables() const override { return model_->variables(); }
  const std::vector<TableSpec>& tables() const override { return model_->tables(); }
  void AppendIds(const Batch& batch, int table, std::vector<uint64_t>* ids) const override {
    model_->AppendIds(batch, table, ids);
  }
  std::span<const std::string> metrics() const override { return model_->metrics(); }
  absl::Status CheckLabel(float label, float* mapped) const override {
    return model_->CheckLabel(label, mapped);
  }
  bool weighs_examples() const override { return model_->weighs_examples(); }
  int64_t activation_bytes() const override { return model_->activation_bytes(); }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    UnfrozenGradients unfrozen(frozen_, variables(), scratch_, gradients);
    return model_->Train(batch, weights, unfrozen);
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override {
    return model_->Evaluate(batch, weights);
  }

 private:
  const std::unique_ptr<Model> model_;
  const FrozenParts frozen_;
  std::vector<AlignedBuffer> scratch_;  // by variable: of frozen ones that the model computes
};

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> WithoutFrozenParts(std::unique_ptr<Model> model,
                                                          const v1::Optimizer& optimizer) {
  CONVOY_ASSIGN_OR_RETURN(FrozenParts frozen,
                          FindFrozen(optimizer, model->variables(), model->tables()));
  if (!frozen.any()) return model;
  return std::make_unique<PartlyFrozenModel>(std::move(model), std::move(frozen));
}

}  // namespace convoy
