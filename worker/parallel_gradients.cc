#include "worker/parallel_gradients.h"

#include <algorithm>

#include "common/placement/placement.h"
#include "common/status.h"
#include "worker/gradient_rules.h"
#include "worker/want_rows.h"
#include "worker/weight_view.h"

namespace convoy {
namespace {

// Gradients of the calling thread, which has more to do than compute.
class InterruptedSink final : public GradientSink {
 public:
  InterruptedSink(GradientSink* sink, const std::function<absl::Status()>* between)
      : sink_(sink), between_(between) {}
  std::span<float> Gradient(int variable) override { return sink_->Gradient(variable); }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    CONVOY_RETURN_IF_ERROR(sink_->Ready(variable, begin, end));
    return (*between_)();
  }
  std::span<float> RowGradients(int table) override { return sink_->RowGradients(table); }
  absl::Status RowsReady(int table) override { return sink_->RowsReady(table); }

 private:
  GradientSink* const sink_;
  const std::function<absl::Status()>* const between_;
};

}  // namespace

ParallelGradients::ParallelGradients(ComputeThreads* threads, std::span<Model* const> models,
                                     const TrainingData* training, Options options)
    : threads_(threads), options_(std::move(options)) {
  slots_.reserve(models.size());
  for (Model* const model : models) slots_.emplace_back(model, training);
}

absl::Status ParallelGradients::Run(size_t parts, WeightSource& weights, const Work& work) {
  CONVOY_ASSIGN_OR_RETURN(WeightView view,
                          WeightView::Of(weights, slots_[0].model->variables().size()));
  for (Slot& slot : slots_) slot.examples = 0;
  return threads_->Run(parts, [&](size_t part) { return work(part, slots_[part], view); });
}

absl::Status ParallelGradients::Gradient(uint64_t epoch, const Range& positions, Slot& slot,
                                         WeightSource& weights) {
  slot.batch.size = 0;
  if (positions.empty()) return absl::OkStatus();
  CONVOY_RETURN_IF_ERROR(slot.reader.Read(epoch, positions, &slot.batch));
  CONVOY_RETURN_IF_ERROR(WantRowsOf(*slot.model, slot.batch, weights, &slot.ids));
  weights.UseWantedRows();
  InterruptedSink interrupted(&slot.gradient, &options_.between);
  GradientSink& sink =
      &slot == &slots_[0] ? static_cast<GradientSink&>(interrupted) : slot.gradient;
  CONVOY_ASSIGN_OR_RETURN(slot.output, slot.model->Train(slot.batch, weights, sink));
  if (options_.skip_not_finite && !IsFinite(slot.gradient.spans())) return absl::OkStatus();
  slot.examples = static_cast<uint32_t>(positions.size());
  if (options_.clip_norm > 0) ClipNorm(slot.examples, options_.clip_norm, slot.gradient.spans());
  return absl::OkStatus();
}

uint64_t ParallelGradients::Examples(const SliceTree& tree, TreeNode node, uint32_t first) const {
  uint64_t examples = 0;
  for (uint32_t slice = tree.begin(node); slice < tree.end(node); ++slice) {
    examples += slots_[slice - first].examples;
  }
  return examples;
}

std::optional<size_t> ParallelGradients::PlanSum(const SliceTree& tree, TreeNode node,
                                                 uint32_t first,
                                                 std::vector<Addition>* additions) const {
  if (!tree.Contains(node)) return std::nullopt;
  if (node.level == 0) {
    const size_t part = node.index - first;
    return slots_[part].examples > 0 ? std::optional(part) : std::nullopt;
  }
  const auto left = PlanSum(tree, {node.level - 1, 2 * node.index}, first, additions);
  const auto right = PlanSum(tree, {node.level - 1, 2 * node.index + 1}, first, additions);
  if (left && right) additions->emplace_back(*left, *right);
  return left ? left : right;
}

absl::Status ParallelGradients::AddUp(const SliceTree& tree, TreeNode node, uint32_t first,
                                      GradientSink& sink) {
  std::vector<Addition> additions;
  const std::optional<size_t> result = PlanSum(tree, node, first, &additions);
  if (!result) return absl::OkStatus();
  for (size_t v = slots_[*result].gradient.values().size(); v-- > 0;) {
    const auto variable = static_cast<int>(v);
    const std::span<float> sum = sink.Gradient(variable);
    for (uint64_t begin = 0; begin < sum.size(); begin += kBlockElements) {
      const Range block{begin, std::min<uint64_t>(begin + kBlockElements, sum.size())};
      AddBlock(additions, *result, v, block, sum.data());
      CONVOY_RETURN_IF_ERROR(
          sink.Ready(variable, static_cast<int64_t>(block.begin), static_cast<int64_t>(block.end)));
    }
  }
  return absl::OkStatus();
}

void ParallelGradients::AddBlock(std::span<const Addition> additions, size_t result,
                                 size_t variable, const Range& block, float* sum) {
  const auto values = [&](size_t slot) {
    return slots_[slot].gradient.Gradient(static_cast<int>(variable)).data();
  };
  const auto add = [&](const Addition& addition, float* to) {
    const float* const left = values(addition.first);
    const float* const right = values(addition.second);
    for (uint64_t i = block.begin; i < block.end; ++i) to[i] = left[i] + right[i];
  };
  if (additions.empty()) {
    std::copy(values(result) + block.begin, values(result) + block.end, sum + block.begin);
    return;
  }
  for (const Addition& addition : additions.first(additions.size() - 1)) {
    add(addition, values(addition.first));
  }
  add(additions.back(), sum);
}

}  // namespace convoy
