#include "worker/local_optimizer.h"

#include <algorithm>

#include "common/optimizers/schedule.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<LocalOptimizer>> LocalOptimizer::Create(Options options,
                                                                       const std::vector<VariableSpec>& variables) {
  auto local = std::unique_ptr<LocalOptimizer>(new LocalOptimizer(std::move(options)));
  for (const VariableSpec& spec : variables) {
    Variable& variable = local->variables_.emplace_back();
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings, SettingsFor(local->options_.optimizer, spec.name));
    CONVOY_ASSIGN_OR_RETURN(variable.optimizer, MakeOptimizer(settings));
    variable.learning_rate = settings.learning_rate;
    const int slots = variable.learning_rate == 0 ? 0 : variable.optimizer->num_slots();
    for (int s = 0; s < slots; ++s) variable.slots.emplace_back(static_cast<size_t>(spec.size()));
  }
  local->Reset();
  return local;
}

void LocalOptimizer::Reset() {
  updates_ = 0;
  for (Variable& variable : variables_) {
    for (size_t s = 0; s < variable.slots.size(); ++s) {
      std::fill_n(variable.slots[s].data(), variable.slots[s].size(),
                  variable.optimizer->initial_slot_value(static_cast<int>(s)));
    }
  }
}

double LocalOptimizer::RateFactor(uint64_t seen) const {
  return ScheduleFactor(options_.optimizer.schedule(), seen, options_.epoch_examples,
                        options_.total_examples);
}

void LocalOptimizer::Apply(const std::vector<AlignedBuffer>& gradient, uint64_t examples, uint64_t seen,
                           std::vector<AlignedBuffer>* weights) {
  const double factor = RateFactor(seen);
  UpdateScalars scalars;
  scalars.update = ++updates_;
  scalars.inverse_count = static_cast<float>(1.0 / static_cast<double>(examples));
  for (size_t v = 0; v < variables_.size(); ++v) {
    Variable& variable = variables_[v];
    if (variable.learning_rate == 0) continue;
    scalars.learning_rate = static_cast<float>(variable.learning_rate * factor);
    std::vector<float*> slots;
    for (AlignedBuffer& slot : variable.slots) slots.push_back(slot.data());
    float* const values = (*weights)[v].data();
    variable.optimizer->Apply(scalars, {gradient[v].data(), values, values, slots.data(),
                                        static_cast<int64_t>((*weights)[v].size())});
  }
}

}  // namespace convoy
