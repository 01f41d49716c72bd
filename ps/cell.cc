#include "ps/cell.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/optimizers/anchored.h"

namespace convoy {

Cell::Cell(Options options, const AlignedBuffer& initial)
    : options_(std::move(options)), progress_(options_.progress, BlockAdder(options_.pool)) {
  if (options_.optimizer == nullptr) return;
  current_ = options_.pool->Acquire(initial.size());
  std::copy_n(initial.data(), initial.size(), current_->data());
  for (int slot = 0; slot < options_.optimizer->num_slots(); ++slot) {
    AlignedBuffer& values = slots_.emplace_back(initial.size());
    std::fill_n(values.data(), values.size(), options_.optimizer->initial_slot_value(slot));
  }
}

PushResult Cell::Push(const Key& key, uint64_t base_version, const Payload& values,
                      uint64_t examples, std::vector<ParkedPull>* released) {
  MutexLock lock(mutex_);
  traffic_bytes_ += values.size();
  const PushResult result =
      progress_.Push(key, base_version, BlockView{values, examples},
                     [this](const auto& sum, uint64_t staleness) CONVOY_NO_THREAD_SAFETY_ANALYSIS {
                       AdvanceLocked({sum.values, sum.examples}, staleness);
                     });
  if (result.outcome == Pushed::kApplied) ReleaseLocked(released);
  return result;
}

void Cell::AdvanceLocked(const BlockView& sum, uint64_t staleness) {
  if (snapshot_.Due(progress_.version())) kept_ = CopyLocked();
  const bool frozen = options_.base_learning_rate == 0;
  VersionBuffer next =
      sum.values.empty() || sum.examples == 0 || frozen ? current_ : UpdateLocked(sum, staleness);
  const bool rounds = options_.progress.policy.apply == ConsistencyPolicy::Apply::kRounds;
  previous_ = rounds ? std::move(current_) : nullptr;
  current_ = std::move(next);
}

VersionBuffer Cell::UpdateLocked(const BlockView& sum, uint64_t staleness) {
  progress_.CountUpdate();
  const Counts& counts = progress_.counts();
  UpdateScalars scalars;
  scalars.learning_rate =
      static_cast<float>(options_.base_learning_rate * options_.schedule(counts.examples) /
                         (1.0 + static_cast<double>(staleness)));
  scalars.update = static_cast<int64_t>(counts.updates);
  scalars.inverse_count = static_cast<float>(1.0 / static_cast<double>(sum.examples));
  VersionBuffer next = options_.pool->Acquire(current_->size());
  // Pointers, because clang's analysis of locks does not look into lambdas.
  const float* const current = current_->data();
  AlignedBuffer* const all_slots = slots_.data();
  std::vector<float*> slots(slots_.size());
  ForEachFloatRun(sum.values, [&](const float* gradient, size_t count, size_t index) {
    for (size_t s = 0; s < slots.size(); ++s) slots[s] = all_slots[s].data() + index;
    options_.optimizer->Apply(scalars, {gradient, current + index, next->data() + index,
                                        slots.data(), static_cast<int64_t>(count)});
  });
  return next;
}

void Cell::ReleaseLocked(std::vector<ParkedPull>* released) {
  const uint64_t version = progress_.version();
  const auto ready =
      std::stable_partition(parked_.begin(), parked_.end(),
                            [version](const ParkedPull& pull) { return pull.version > version; });
  for (auto pull = ready; pull != parked_.end(); ++pull) {
    pull->ticket->Fill(pull->index, VersionLocked(progress_.version(), current_));
    released->push_back(std::move(*pull));
  }
  parked_.erase(ready, parked_.end());
}

Cell::PullResult Cell::Pull(uint64_t version, const std::function<ParkedPull()>& parked) {
  MutexLock lock(mutex_);
  using Answer = decltype(progress_)::Answer;
  switch (progress_.AnswerTo(version)) {
    case Answer::kCurrent:
      return {Pulled::kReady, VersionLocked(progress_.version(), current_), progress_.version()};
    case Answer::kPrevious:
      return {Pulled::kReady, VersionLocked(version, previous_), progress_.version()};
    case Answer::kGone:
      return {Pulled::kGone, {}, progress_.version()};
    case Answer::kLater:
      break;
  }
  ParkedPull& pull = parked_.emplace_back(parked());
  pull.version = version;
  return {Pulled::kParked, {}, progress_.version()};
}

CellVersion Cell::Newest() const {
  MutexLock lock(mutex_);
  return VersionLocked(progress_.version(), current_);
}

Payload Cell::Anchors() const {
  const std::vector<std::string> slots = options_.optimizer->slot_names();
  const auto found = std::ranges::find(slots, kAnchorSlot);
  if (found == slots.end()) return Payload();
  MutexLock lock(mutex_);
  const AlignedBuffer& anchors = slots_[static_cast<size_t>(found - slots.begin())];
  const auto copy = std::make_shared<AlignedBuffer>(anchors.size());
  std::copy_n(anchors.data(), anchors.size(), copy->data());
  traffic_bytes_ += anchors.size() * sizeof(float);
  return Payload(copy->span(), copy);
}

CellVersion Cell::VersionLocked(uint64_t version, const VersionBuffer& values) const {
  if (values != nullptr) traffic_bytes_ += values->size() * sizeof(float);
  return {version, values};
}

uint64_t Cell::TrafficBytes() const {
  MutexLock lock(mutex_);
  return traffic_bytes_;
}

void Cell::ForgetTask(uint64_t task) {
  MutexLock lock(mutex_);
  progress_.ForgetTask(task);
}

std::vector<uint32_t> Cell::MissingSlices() const {
  MutexLock lock(mutex_);
  return progress_.MissingSlices();
}

bool Cell::ArmSnapshot(uint64_t version) {
  MutexLock lock(mutex_);
  kept_.reset();
  return snapshot_.Arm(version, progress_.version());
}

void Cell::DisarmSnapshot() {
  MutexLock lock(mutex_);
  kept_.reset();
  snapshot_.Disarm();
}

// The weights are not copied: a version does not change any more.
BlockSnapshot Cell::CopyLocked() const {
  BlockSnapshot copy{progress_.position(), current_, {}};
  for (const AlignedBuffer& slot : slots_) {
    AlignedBuffer& values = copy.slots.emplace_back(slot.size());
    std::copy_n(slot.data(), slot.size(), values.data());
  }
  return copy;
}

std::optional<CellPosition> Cell::OutlineSnapshot() const {
  MutexLock lock(mutex_);
  if (!snapshot_.Reached(progress_.version())) return std::nullopt;
  return kept_ ? kept_->position : progress_.position();
}

std::optional<BlockSnapshot> Cell::TakeSnapshot() {
  MutexLock lock(mutex_);
  if (!snapshot_.Reached(progress_.version())) return std::nullopt;
  std::optional<BlockSnapshot> taken = std::exchange(kept_, std::nullopt);
  if (!taken) taken = CopyLocked();
  snapshot_.Disarm();
  return taken;
}

BlockSnapshot Cell::MakeSnapshot(CellPosition position) const {
  MutexLock lock(mutex_);
  BlockSnapshot snapshot{std::move(position), options_.pool->Acquire(current_->size()), {}};
  for (const AlignedBuffer& slot : slots_) snapshot.slots.emplace_back(slot.size());
  return snapshot;
}

void Cell::Restore(BlockSnapshot snapshot) {
  MutexLock lock(mutex_);
  progress_.Restore(std::move(snapshot.position));
  previous_ = nullptr;
  current_ = std::move(snapshot.values);
  slots_ = std::move(snapshot.slots);
}

Cell::Counts Cell::GetCounts() const {
  MutexLock lock(mutex_);
  return progress_.counts();
}

Cell::State Cell::GetState() const {
  MutexLock lock(mutex_);
  State state{progress_.counts(), {}, {}};
  if (current_ != nullptr) state.values.assign(current_->begin(), current_->end());
  for (const AlignedBuffer& slot : slots_) {
    state.slots.emplace_back(slot.span().begin(), slot.span().end());
  }
  return state;
}

}  // namespace convoy
