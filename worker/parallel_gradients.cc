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

// A part's places in the rows of a batch.
class RowsOfPart final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return weights->Weights(variable);
  }
  absl::StatusOr<TableRows> Rows(int table) override { return rows[static_cast<size_t>(table)]; }

  WeightSource* weights = nullptr;
  std::vector<TableRows> rows;  // by table
};

}  // namespace

ParallelGradients::ParallelGradients(ComputeThreads* threads, std::span<Model* const> models,
                                     const TrainingData* training, Options options)
    : threads_(threads), options_(std::move(options)) {
  slots_.reserve(models.size());
  for (Model* const model : models) slots_.emplace_back(model, training);
}

absl::Status ParallelGradients::Run(size_t parts, WeightSource& weights, const Work& work) {
  CONVOY_ASSIGN_OR_RETURN(
      std::vector<WeightView> views,
      WeightView::Of(weights, slots_[0].model->variables().size(), slots_.size()));
  for (Slot& slot : slots_) slot.examples = 0;
  return threads_->Run(parts, [&](size_t part) { return work(part, slots_[part], views[part]); });
}

absl::Status ParallelGradients::Gradient(uint64_t epoch, const Range& positions, Slot& slot,
                                         WeightSource& weights) {
  slot.batch.size = 0;
  if (positions.empty()) return absl::OkStatus();
  CONVOY_RETURN_IF_ERROR(slot.reader.Read(epoch, positions, &slot.batch));
  CONVOY_RETURN_IF_ERROR(WantRowsOf(*slot.model, slot.batch, weights, &slot.ids));
  weights.UseWantedRows();
  return Train(slot, weights);
}

absl::Status ParallelGradients::Train(Slot& slot, WeightSource& weights) {
  const std::vector<TableSpec>& tables = slot.model->tables();
  for (size_t t = 0; t < tables.size(); ++t) {
    CONVOY_ASSIGN_OR_RETURN(const TableRows rows, weights.Rows(static_cast<int>(t)));
    slot.gradient.SetRows(t, rows.values.size());
  }
  InterruptedSink interrupted(&slot.gradient, &options_.between);
  GradientSink& sink =
      &slot == &slots_[0] ? static_cast<GradientSink&>(interrupted) : slot.gradient;
  CONVOY_ASSIGN_OR_RETURN(slot.output, slot.model->Train(slot.batch, weights, sink));
  if (options_.skip_not_finite && !IsFinite(slot.gradient.spans())) return absl::OkStatus();
  slot.examples = static_cast<uint32_t>(slot.batch.size);
  if (options_.clip_norm > 0) ClipNorm(slot.examples, options_.clip_norm, slot.gradient.spans());
  return absl::OkStatus();
}

absl::Status ParallelGradients::ReadParts(uint64_t epoch, const Range& positions) {
  return threads_->Run(slots_.size(), [&](size_t part) -> absl::Status {
    Slot& slot = slots_[part];
    const Range examples = SlicePositions(part, slots_.size(), positions);
    slot.ids_ahead.resize(slot.model->tables().size());
    for (std::vector<uint64_t>& ids : slot.ids_ahead) ids.clear();
    slot.ahead.size = 0;
    if (examples.empty()) return absl::OkStatus();
    CONVOY_RETURN_IF_ERROR(slot.reader.Read(epoch, examples, &slot.ahead));
    for (size_t t = 0; t < slot.ids_ahead.size(); ++t) {
      slot.model->AppendIds(slot.ahead, static_cast<int>(t), &slot.ids_ahead[t]);
    }
    return absl::OkStatus();
  });
}

void ParallelGradients::AppendIds(size_t table, std::vector<uint64_t>* ids) const {
  for (const Slot& slot : slots_) {
    ids->insert(ids->end(), slot.ids_ahead[table].begin(), slot.ids_ahead[table].end());
  }
}

void ParallelGradients::UseParts() {
  for (Slot& slot : slots_) {
    std::swap(slot.batch, slot.ahead);
    slot.ids_of_batch.swap(slot.ids_ahead);
  }
}

absl::Status ParallelGradients::TrainParts(WeightSource& weights) {
  const size_t tables = slots_[0].model->tables().size();
  std::vector<TableRows> rows(tables);
  for (size_t t = 0; t < tables; ++t) {
    CONVOY_ASSIGN_OR_RETURN(rows[t], weights.Rows(static_cast<int>(t)));
  }
  std::vector<RowsOfPart> rows_of_parts(slots_.size());
  std::vector<size_t> first(tables, 0);  // place of the part's first id
  for (size_t part = 0; part < slots_.size(); ++part) {
    for (size_t t = 0; t < tables; ++t) {
      const size_t places = slots_[part].ids_of_batch[t].size();
      rows_of_parts[part].rows.push_back(
          {rows[t].values, rows[t].places.subspan(first[t], places), rows[t].rows});
      first[t] += places;
    }
  }
  return Run(slots_.size(), weights, [&](size_t part, Slot& slot, WeightSource& all) {
    if (slot.batch.size == 0) return absl::OkStatus();
    rows_of_parts[part].weights = &all;
    return Train(slot, rows_of_parts[part]);
  });
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
    const auto values = [&](size_t slot) {
      return slots_[slot].gradient.Gradient(variable).data();
    };
    const std::span<float> sum = sink.Gradient(variable);
    for (uint64_t begin = 0; begin < sum.size(); begin += kBlockElements) {
      const Range block{begin, std::min<uint64_t>(begin + kBlockElements, sum.size())};
      AddBlock(additions, *result, block, values, sum.data());
      CONVOY_RETURN_IF_ERROR(
          sink.Ready(variable, static_cast<int64_t>(block.begin), static_cast<int64_t>(block.end)));
    }
  }
  return absl::OkStatus();
}

absl::Status ParallelGradients::AddUpRows(const SliceTree& tree, TreeNode node, uint32_t first,
                                          GradientSink& sink) {
  std::vector<Addition> additions;
  const std::optional<size_t> result = PlanSum(tree, node, first, &additions);
  if (!result) return absl::OkStatus();
  for (int t = 0; t < static_cast<int>(slots_[0].model->tables().size()); ++t) {
    const auto values = [&](size_t slot) { return slots_[slot].gradient.RowGradients(t).data(); };
    const std::span<float> sum = sink.RowGradients(t);
    for (uint64_t begin = 0; begin < sum.size(); begin += kBlockElements) {
      const Range block{begin, std::min<uint64_t>(begin + kBlockElements, sum.size())};
      AddBlock(additions, *result, block, values, sum.data());
    }
    CONVOY_RETURN_IF_ERROR(sink.RowsReady(t));
  }
  return absl::OkStatus();
}

void ParallelGradients::AddBlock(std::span<const Addition> additions, size_t result,
                                 const Range& block,
                                 const std::function<float*(size_t slot)>& values, float* sum) {
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
