#include "ps/cell.h"

#include <algorithm>
#include <utility>

namespace convoy {

Cell::Cell(Options options, const AlignedBuffer& initial)
    : options_(std::move(options)), round_(options_.tree, options_.pool, options_.policy.backup) {
  if (options_.optimizer == nullptr) return;
  current_ = options_.pool->Acquire(initial.size());
  std::copy_n(initial.data(), initial.size(), current_->data());
  for (int slot = 0; slot < options_.optimizer->num_slots(); ++slot) {
    AlignedBuffer& values = slots_.emplace_back(initial.size());
    std::fill_n(values.data(), values.size(), options_.optimizer->initial_slot_value(slot));
  }
}

Cell::PushResult Cell::Push(const Key& key, uint64_t base_version, const Payload& values, uint64_t examples,
                            std::vector<ParkedPull>* released) {
  MutexLock lock(mutex_);
  const PushResult result = options_.policy.apply == ConsistencyPolicy::Apply::kRounds
                                ? PushToRoundLocked(key, values, examples)
                                : PushAtOnceLocked(key, base_version, values, examples);
  if (result.outcome == Pushed::kApplied) ReleaseLocked(released);
  return result;
}

Cell::PushResult Cell::PushToRoundLocked(const Key& key, const Payload& values, uint64_t examples) {
  if (key.step < counts_.version) return {options_.policy.backup > 0 ? Pushed::kGone : Pushed::kDuplicate};
  if (key.step > counts_.version) return {Pushed::kGap, counts_.version};
  if (round_.Has(key.node)) return {Pushed::kDuplicate};

  const uint32_t lowest = round_.LowestMissing();
  const bool needed_next = lowest >= options_.tree->begin(key.node) && lowest < options_.tree->end(key.node);
  const auto size = static_cast<int64_t>(values.size());
  if (!needed_next && size > 0 && options_.stored_bytes->load() + size > options_.stored_bytes_budget) {
    return {Pushed::kOverBudget};
  }
  const auto before = static_cast<int64_t>(round_.stored_bytes());
  round_.Add(key.node, {values, examples});
  const PartialSum* sum = round_.Complete();
  PushResult result{Pushed::kStored};
  if (sum != nullptr) {
    AdvanceLocked(sum->values, sum->examples, /*staleness=*/0);
    counts_.dropped += options_.policy.backup;
    round_.Clear();
    result.outcome = Pushed::kApplied;
  }
  options_.stored_bytes->fetch_add(static_cast<int64_t>(round_.stored_bytes()) - before);
  return result;
}

Cell::PushResult Cell::PushAtOnceLocked(const Key& key, uint64_t base_version, const Payload& values,
                                        uint64_t examples) {
  const uint64_t next = marks_.Next(key.task);
  if (key.batch < next) return {Pushed::kDuplicate};
  if (key.batch > next) return {Pushed::kGap, next};
  marks_.Count(key.task);
  const uint64_t staleness = counts_.version - std::min(base_version, counts_.version);
  AdvanceLocked(values, examples, options_.policy.scale_by_staleness ? staleness : 0);
  return {Pushed::kApplied, 0, staleness};
}

void Cell::AdvanceLocked(const Payload& sum, uint64_t examples, uint64_t staleness) {
  const bool frozen = options_.base_learning_rate == 0;
  VersionBuffer next = sum.empty() || examples == 0 || frozen ? current_ : UpdateLocked(sum, examples, staleness);
  previous_ = options_.policy.apply == ConsistencyPolicy::Apply::kRounds ? std::move(current_) : nullptr;
  current_ = std::move(next);
  counts_.examples += examples;
  ++counts_.version;
}

VersionBuffer Cell::UpdateLocked(const Payload& sum, uint64_t examples, uint64_t staleness) {
  ++counts_.updates;
  UpdateScalars scalars;
  scalars.learning_rate = static_cast<float>(options_.base_learning_rate * options_.schedule(counts_.examples) /
                                             (1.0 + static_cast<double>(staleness)));
  scalars.update = static_cast<int64_t>(counts_.updates);
  scalars.inverse_count = static_cast<float>(1.0 / static_cast<double>(examples));
  VersionBuffer next = options_.pool->Acquire(current_->size());
  // Pointers, because clang's analysis of locks does not look into lambdas.
  const float* const current = current_->data();
  AlignedBuffer* const all_slots = slots_.data();
  std::vector<float*> slots(slots_.size());
  ForEachFloatRun(sum, [&](const float* gradient, size_t count, size_t index) {
    for (size_t s = 0; s < slots.size(); ++s) slots[s] = all_slots[s].data() + index;
    options_.optimizer->Apply(scalars, {gradient, current + index, next->data() + index, slots.data(),
                                        static_cast<int64_t>(count)});
  });
  return next;
}

void Cell::ReleaseLocked(std::vector<ParkedPull>* released) {
  const uint64_t version = counts_.version;
  const auto ready = std::stable_partition(parked_.begin(), parked_.end(),
                                           [version](const ParkedPull& pull) { return pull.version > version; });
  for (auto pull = ready; pull != parked_.end(); ++pull) {
    pull->ticket->Fill(pull->index, {counts_.version, current_});
    released->push_back(std::move(*pull));
  }
  parked_.erase(ready, parked_.end());
}

Cell::PullResult Cell::Pull(uint64_t version, const std::function<ParkedPull()>& parked) {
  MutexLock lock(mutex_);
  using Answer = ConsistencyPolicy::Answer;
  const Answer answer = options_.policy.answer;
  const bool newest = answer == Answer::kNewest || answer == Answer::kClockBound || version == kNewestVersion ||
                      (answer == Answer::kAtLeast && version <= counts_.version);
  if (newest || version == counts_.version) {
    return {Pulled::kReady, {counts_.version, current_}, counts_.version};
  }
  if (version + 1 == counts_.version) return {Pulled::kReady, {version, previous_}, counts_.version};
  if (version < counts_.version) return {Pulled::kGone, {}, counts_.version};
  ParkedPull& pull = parked_.emplace_back(parked());
  pull.version = version;
  return {Pulled::kParked, {}, counts_.version};
}

CellVersion Cell::Newest() const {
  MutexLock lock(mutex_);
  return {counts_.version, current_};
}

void Cell::ForgetTask(uint64_t task) {
  MutexLock lock(mutex_);
  marks_.Forget(task);
}

std::vector<uint32_t> Cell::MissingSlices() const {
  MutexLock lock(mutex_);
  return round_.Missing();
}

Cell::Counts Cell::GetCounts() const {
  MutexLock lock(mutex_);
  return counts_;
}

Cell::State Cell::GetState() const {
  MutexLock lock(mutex_);
  State state{counts_, {}, {}};
  if (current_ != nullptr) state.values.assign(current_->begin(), current_->end());
  for (const AlignedBuffer& slot : slots_) {
    state.slots.emplace_back(slot.span().begin(), slot.span().end());
  }
  return state;
}

}  // namespace convoy
