#include "worker/local_optimizer.h"

#include <algorithm>
#include <utility>

#include "common/optimizers/anchored.h"
#include "common/optimizers/schedule.h"
#include "common/placement/placement.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<LocalOptimizer>> LocalOptimizer::Create(
    Options options, const std::vector<VariableSpec>& variables) {
  auto local = std::unique_ptr<LocalOptimizer>(new LocalOptimizer(std::move(options)));
  for (const VariableSpec& spec : variables) {
    Variable& variable = local->variables_.emplace_back();
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings,
                            SettingsFor(local->options_.optimizer, spec.name));
    CONVOY_ASSIGN_OR_RETURN(variable.optimizer, MakeOptimizer(settings));
    variable.learning_rate = settings.learning_rate;
    const bool none = variable.learning_rate == 0 && !local->options_.slots_of_frozen;
    if (none) continue;
    for (const std::string& slot : variable.optimizer->slot_names()) {
      if (IsAnchorSlot(slot)) variable.anchors = variable.slots.size();
      variable.slots.emplace_back(static_cast<size_t>(spec.size()));
      Fill(variable, variable.slots.size() - 1);
    }
  }
  return local;
}

void LocalOptimizer::Fill(Variable& variable, size_t slot) {
  std::ranges::fill(variable.slots[slot].span(),
                    variable.optimizer->initial_slot_value(static_cast<int>(slot)));
}

void LocalOptimizer::Reset() {
  updates_ = 0;
  for (Variable& variable : variables_) {
    for (size_t s = 0; s < variable.slots.size(); ++s) {
      if (s != variable.anchors) Fill(variable, s);
    }
  }
}

std::span<float> LocalOptimizer::anchors(size_t variable) {
  Variable& v = variables_[variable];
  return v.anchors ? v.slots[*v.anchors].span() : std::span<float>();
}

absl::Status LocalOptimizer::Load(const InitValues& values) {
  for (size_t v = 0; v < variables_.size(); ++v) {
    Variable& variable = variables_[v];
    if (variable.slots.empty()) continue;
    const std::vector<std::string> names = variable.optimizer->slot_names();
    for (size_t s = 0; s < variable.slots.size(); ++s) {
      CONVOY_RETURN_IF_ERROR(values.LoadSlot(v, names[s], 0, variable.slots[s].span()));
    }
    const uint64_t size = variable.slots[0].size();
    for (uint64_t begin = 0; begin < size; begin += kBlockElements) {
      const uint64_t block = std::min<uint64_t>(kBlockElements, size - begin);
      variable.loaded_updates.push_back(static_cast<int64_t>(values.Updates(v, begin, block)));
    }
  }
  return absl::OkStatus();
}

uint64_t LocalOptimizer::Updates(size_t variable, uint64_t begin) const {
  const Variable& v = variables_[variable];
  const int64_t before = v.loaded_updates.empty() ? 0 : v.loaded_updates[begin / kBlockElements];
  return static_cast<uint64_t>(before + (v.learning_rate == 0 ? 0 : updates_));
}

void LocalOptimizer::SetUpdates(size_t variable, std::vector<int64_t> updates) {
  variables_[variable].loaded_updates = std::move(updates);
}

double LocalOptimizer::RateFactor(uint64_t seen) const {
  return ScheduleFactor(options_.optimizer.schedule(), seen, options_.epoch_examples,
                        options_.total_examples);
}

void LocalOptimizer::Apply(const std::vector<AlignedBuffer>& gradient, uint64_t examples,
                           uint64_t seen, std::vector<AlignedBuffer>* weights) {
  const double factor = RateFactor(seen);
  UpdateScalars scalars;
  ++updates_;
  scalars.inverse_count = static_cast<float>(1.0 / static_cast<double>(examples));
  for (size_t v = 0; v < variables_.size(); ++v) {
    Variable& variable = variables_[v];
    if (variable.learning_rate == 0) continue;
    scalars.learning_rate = static_cast<float>(variable.learning_rate * factor);
    float* const values = (*weights)[v].data();
    const size_t size = (*weights)[v].size();
    std::vector<float*> slots(variable.slots.size());
    // Block by block, as servers do: each may have had a different number of updates.
    for (size_t begin = 0; begin < size; begin += kBlockElements) {
      const std::vector<int64_t>& before = variable.loaded_updates;
      scalars.update = updates_ + (before.empty() ? 0 : before[begin / kBlockElements]);
      for (size_t s = 0; s < slots.size(); ++s) slots[s] = variable.slots[s].data() + begin;
      variable.optimizer->Apply(
          scalars, {gradient[v].data() + begin, values + begin, values + begin, slots.data(),
                    static_cast<int64_t>(std::min<size_t>(kBlockElements, size - begin))});
    }
  }
}

}  // namespace convoy
