#include "worker/local_steps.h"

#include <algorithm>
#include <utility>

#include "common/status.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<LocalSteps>> LocalSteps::Create(Options options,
                                                               const std::vector<VariableSpec>& variables) {
  auto steps = std::unique_ptr<LocalSteps>(new LocalSteps(std::move(options)));
  CONVOY_ASSIGN_OR_RETURN(steps->optimizer_, LocalOptimizer::Create(steps->options_.optimizer, variables));
  for (const VariableSpec& variable : variables) {
    steps->weights_.emplace_back(static_cast<size_t>(variable.size()));
    steps->gradient_.emplace_back(static_cast<size_t>(variable.size()));
  }
  return steps;
}

absl::Status LocalSteps::Begin(WeightSource& weights) {
  optimizer_->Reset();
  for (size_t v = 0; v < weights_.size(); ++v) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const float> values, weights.Weights(static_cast<int>(v)));
    std::copy(values.begin(), values.end(), weights_[v].data());
  }
  return absl::OkStatus();
}

absl::StatusOr<BatchOutput> LocalSteps::Step(Model& model, const Batch& batch, uint64_t seen) {
  BatchOutput output;
  const Compute train = [&](WeightSource& weights, GradientSink& gradient) -> absl::Status {
    CONVOY_ASSIGN_OR_RETURN(output, model.Train(batch, weights, gradient));
    return absl::OkStatus();
  };
  CONVOY_RETURN_IF_ERROR(Step(train, static_cast<uint32_t>(batch.size), seen));
  return output;
}

absl::Status LocalSteps::Step(const Compute& compute, uint32_t examples, uint64_t seen) {
  CONVOY_RETURN_IF_ERROR(compute(*this, *this));
  if (options_.skip_not_finite && !IsFinite(Spans())) {
    ++skipped_;
    return absl::OkStatus();
  }
  if (options_.clip_norm > 0) ClipNorm(examples, options_.clip_norm, Spans());
  optimizer_->Apply(gradient_, examples, seen, &weights_);
  return absl::OkStatus();
}

absl::Status LocalSteps::End(WeightSource& weights, float factor, GradientSink& sink) {
  // Backwards, as gradients come: the next round needs the first layer first, and it is the last to arrive.
  for (size_t v = weights_.size(); v-- > 0;) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const float> before, weights.Weights(static_cast<int>(v)));
    float* const difference = sink.Gradient(static_cast<int>(v)).data();
    const float* const now = weights_[v].data();
    for (size_t i = 0; i < before.size(); ++i) difference[i] = factor * (now[i] - before[i]);
    CONVOY_RETURN_IF_ERROR(sink.Ready(static_cast<int>(v), 0, static_cast<int64_t>(before.size())));
  }
  return absl::OkStatus();
}

uint64_t LocalSteps::TakeSkipped() { return std::exchange(skipped_, 0); }

absl::StatusOr<std::span<const float>> LocalSteps::Weights(int variable) {
  return std::as_const(weights_[static_cast<size_t>(variable)]).span();
}

std::span<float> LocalSteps::Gradient(int variable) { return gradient_[static_cast<size_t>(variable)].span(); }

GradientSpans LocalSteps::Spans() {
  GradientSpans spans;
  for (AlignedBuffer& buffer : gradient_) spans.push_back(buffer.span());
  return spans;
}

}  // namespace convoy
