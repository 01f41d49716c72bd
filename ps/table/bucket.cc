#include "ps/table/bucket.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

constexpr uint32_t kMaxCounter = ~uint32_t{0};

}  // namespace

TableBucket::TableBucket(Options options)
    : options_(std::move(options)),
      dim_(options_.table->dim()),
      remembered_(dim_ + (options_.progress.policy.difference() ? options_.updater->slot_floats()
                                                                : size_t{0})),
      progress_(options_.progress, RowAdder(dim_)),
      rows_({dim_, options_.updater->slot_floats()}, options_.arena),
      life_(options_.life) {}

PushResult TableBucket::Push(const PushKey& key, uint64_t base_version, const RowSum& rows,
                             std::vector<ParkedRows>* released) {
  MutexLock lock(mutex_);
  return PushLocked(key, base_version, rows, nullptr, released);
}

PushResult TableBucket::PushLocked(const PushKey& key, uint64_t base_version, const RowSum& rows,
                                   RowsAhead* ahead, std::vector<ParkedRows>* released) {
  traffic_rows_ += rows.ids.size();
  const PushResult result = progress_.Push(
      key, base_version, rows,
      [&](const RowSum& sum, uint64_t staleness) CONVOY_NO_THREAD_SAFETY_ANALYSIS {
        const bool these = sum.ids.data() == rows.ids.data() && sum.ids.size() == rows.ids.size();
        AdvanceLocked(sum, these ? ahead : nullptr, staleness);
      });
  if (result.outcome == Pushed::kApplied) ReleaseLocked(released);
  return result;
}

void TableBucket::AdvanceLocked(const RowSum& sum, RowsAhead* ahead, uint64_t staleness) {
  if (snapshot_.Due(progress_.version())) KeepLocked();
  previous_.clear();
  previous_values_.clear();
  if (options_.updater->frozen()) return;
  const uint32_t second = options_.clock == nullptr ? 0 : options_.clock->seconds();
  const RowTime now{progress_.version() + 1, second};
  if (!sum.ids.empty() && sum.examples > 0) {
    progress_.CountUpdate();
    ApplyLocked(sum, AheadLocked(sum.ids, ahead), now, staleness);
  } else if (life_.ExpiresAt(now.step)) {
    MakeRoomLocked(now, {}, {});
  }
  if (!std::is_sorted(previous_.begin(), previous_.end()))
    std::sort(previous_.begin(), previous_.end());
}

void TableBucket::MakeRoomLocked(const RowTime& now, std::span<const uint64_t> ids,
                                 std::span<const uint32_t> sightings) {
  const auto removed = [&](const Row& row) CONVOY_NO_THREAD_SAFETY_ANALYSIS {
    // An outline of a snapshot has promised those that went before.
    const size_t most = kept_ == nullptr ? rows_.size() : std::numeric_limits<size_t>::max();
    if (options_.deltas) removed_.Add(row.header->id(), now.step, most);
    if (kept_ != nullptr) kept_->rows.Keep(row);
    RememberLocked(row);
  };
  life_.MakeRoom(now, ids, sightings, &rows_, removed);
}

void TableBucket::ApplyLocked(const RowSum& sum, RowsAhead& ahead, const RowTime& now,
                              uint64_t staleness) {
  MakeRoomLocked(now, sum.ids, sum.sightings);
  RowScalars scalars;
  scalars.rate_factor =
      options_.schedule(progress_.counts().examples) / (1.0 + static_cast<double>(staleness));
  scalars.inverse_count = static_cast<float>(1.0 / static_cast<double>(sum.examples));
  for (size_t i = 0; i < sum.ids.size(); ++i) {
    Row row = rows_.Find(sum.ids[i], ahead.Guess(i));
    if (!row) row = NewRowLocked(sum.ids[i], sum.sightings_of(i), now);
    if (!row) continue;
    if (kept_ != nullptr) kept_->rows.Keep(row);
    RememberLocked(row);
    row.header->last_step = static_cast<uint32_t>(std::min<uint64_t>(now.step, kMaxCounter));
    row.header->last_second = now.second & RowClock::kMaxSeconds;
    if (row.header->updates < kMaxCounter) ++row.header->updates;
    scalars.update = row.header->updates;
    options_.updater->Apply(scalars, sum.values.data() + i * dim_, row.weights, row.slots);
  }
  life_.LimitCandidates();
}

Row TableBucket::NewRowLocked(uint64_t id, uint32_t sightings, const RowTime& now) {
  if (!life_.Admit(id, sightings, now, rows_.size())) return {};
  if (kept_ != nullptr) kept_->rows.KeepAbsence(id);
  bool inserted;
  const Row row = rows_.FindOrInsert(id, &inserted);
  if (!row) return row;  // 16 million rows in one bucket
  InitializeRow(*options_.table, options_.seed, id, {row.weights, dim_});
  options_.updater->InitializeSlots(row.slots);
  return row;
}

void TableBucket::RememberLocked(const Row& row) {
  if (options_.progress.policy.apply != ConsistencyPolicy::Apply::kRounds) return;
  previous_.emplace_back(row.header->id(), previous_.size());
  // The slots are right behind the weights.
  previous_values_.insert(previous_values_.end(), row.weights, row.weights + remembered_);
}

TableBucket::PullResult TableBucket::Pull(uint64_t version, std::span<const uint64_t> ids,
                                          const RowsOut& out,
                                          const std::function<ParkedRows()>& parked) {
  MutexLock lock(mutex_);
  return PullLocked(version, ids, nullptr, out, parked);
}

TableBucket::PullResult TableBucket::PullLocked(uint64_t version, std::span<const uint64_t> ids,
                                                RowsAhead* ahead, const RowsOut& out,
                                                const std::function<ParkedRows()>& parked) {
  using Answer = decltype(progress_)::Answer;
  switch (progress_.AnswerTo(version)) {
    case Answer::kCurrent:
      ReadLocked(ids, ahead, out);
      return {Pulled::kReady, progress_.version()};
    case Answer::kPrevious:
      ReadPreviousLocked(ids, ahead, out);
      return {Pulled::kReady, version};
    case Answer::kGone:
      return {Pulled::kGone, progress_.version()};
    case Answer::kLater:
      break;
  }
  ParkedRows& pull = parked_.emplace_back(parked());
  pull.version = version;
  pull.ids = ids;
  pull.out = out;
  return {Pulled::kParked, progress_.version()};
}

uint64_t TableBucket::Newest(std::span<const uint64_t> ids, const RowsOut& out) const {
  MutexLock lock(mutex_);
  ReadLocked(ids, nullptr, out);
  return progress_.version();
}

bool TableBucket::NeedsRowsLocked(std::optional<uint64_t> pulled) const {
  using Answer = decltype(progress_)::Answer;
  if (!pulled) {
    return options_.progress.policy.apply == ConsistencyPolicy::Apply::kAtOnce ||
           options_.progress.tree->slices() == 1;
  }
  const Answer answer = progress_.AnswerTo(*pulled);
  return answer == Answer::kCurrent || answer == Answer::kPrevious;
}

RowsAhead& TableBucket::AheadLocked(std::span<const uint64_t> ids, RowsAhead* ahead) const {
  if (ahead != nullptr) return *ahead;
  own_ahead_.Start(&rows_, ids);
  return own_ahead_;
}

void TableBucket::ReadLocked(std::span<const uint64_t> ids, RowsAhead* come_to,
                             const RowsOut& out) const {
  RowsAhead& ahead = AheadLocked(ids, come_to);
  traffic_rows_ += ids.size();
  float* to = out.values;
  for (size_t i = 0; i < ids.size(); ++i, to += out.columns) {
    if (const Row row = rows_.Find(ids[i], ahead.Guess(i))) {
      std::copy_n(row.weights, out.columns, to);
    } else {
      InitializeRow(*options_.table, options_.seed, ids[i], {to, dim_});
      if (out.columns > dim_) options_.updater->InitializeSlots(to + dim_);
    }
  }
}

void TableBucket::ReadPreviousLocked(std::span<const uint64_t> ids, RowsAhead* ahead,
                                     const RowsOut& out) const {
  ReadLocked(ids, ahead, out);
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto before =
        std::lower_bound(previous_.begin(), previous_.end(), std::make_pair(ids[i], size_t{0}));
    if (before == previous_.end() || before->first != ids[i]) continue;
    std::copy_n(previous_values_.data() + before->second * remembered_, out.columns,
                out.values + i * out.columns);
  }
}

void TableBucket::ReleaseLocked(std::vector<ParkedRows>* released) {
  const uint64_t version = progress_.version();
  const auto ready =
      std::stable_partition(parked_.begin(), parked_.end(),
                            [version](const ParkedRows& pull) { return pull.version > version; });
  for (auto pull = ready; pull != parked_.end(); ++pull) {
    ReadLocked(pull->ids, nullptr, pull->out);
    released->push_back(std::move(*pull));
  }
  parked_.erase(ready, parked_.end());
}

void TableBucket::ForgetTask(uint64_t task) {
  MutexLock lock(mutex_);
  progress_.ForgetTask(task);
}

std::vector<uint32_t> TableBucket::MissingSlices() const {
  MutexLock lock(mutex_);
  return progress_.MissingSlices();
}

// ------------------------------------------------------------------------------ snapshots

bool TableBucket::ArmSnapshot(uint64_t version) {
  MutexLock lock(mutex_);
  kept_.reset();
  return snapshot_.Arm(version, progress_.version());
}

void TableBucket::DisarmSnapshot() {
  MutexLock lock(mutex_);
  kept_.reset();
  snapshot_.Disarm();
}

void TableBucket::KeepLocked() {
  kept_ = std::make_unique<Kept>(
      Kept{progress_.position(), life_.candidates(), RowKeeper(rows_.layout().floats())});
}

std::optional<TableBucket::SnapshotOutline> TableBucket::OutlineSnapshot(
    std::optional<uint64_t> since) const {
  MutexLock lock(mutex_);
  if (!snapshot_.Reached(progress_.version())) return std::nullopt;
  SnapshotOutline outline;
  outline.position = kept_ == nullptr ? progress_.position() : kept_->position;
  outline.rows = kept_ == nullptr ? rows_.size() : kept_->rows.Count(rows_);
  outline.stored = outline.rows;
  outline.waiting = kept_ == nullptr ? life_.candidates().size() : kept_->waiting.size();
  if (!since) return outline;
  outline.possible = options_.deltas && removed_.KnowsSince(*since);
  const RowKeeper unchanged(rows_.layout().floats());
  outline.stored = (kept_ == nullptr ? unchanged : kept_->rows).CountSince(*since, rows_);
  outline.removed = removed_.Between(*since, outline.position.counts.version).size();
  return outline;
}

std::optional<BucketSnapshot> TableBucket::TakeSnapshot(std::optional<uint64_t> since) {
  MutexLock lock(mutex_);
  if (!snapshot_.Reached(progress_.version())) return std::nullopt;
  if (kept_ == nullptr) KeepLocked();
  BucketSnapshot taken = CopyLocked(since);
  if (since) removed_.Forget(*since);
  kept_.reset();
  snapshot_.Disarm();
  return taken;
}

BucketSnapshot TableBucket::CopyLocked(std::optional<uint64_t> since) const {
  BucketSnapshot copy;
  copy.position = kept_->position;
  if (since) copy.removed = removed_.Between(*since, copy.position.counts.version);
  const size_t slot_floats = rows_.layout().slot_floats;
  const size_t count = since ? kept_->rows.CountSince(*since, rows_) : kept_->rows.Count(rows_);
  BucketRows& rows = copy.rows;
  rows.ids.reserve(count);
  rows.weights.reserve(count * dim_);
  rows.slots.reserve(count * slot_floats);
  rows.counters.reserve(2 * count);
  kept_->rows.ForEach(since, rows_, [&](const KeptRow& row) {
    rows.ids.push_back(row.id);
    rows.weights.insert(rows.weights.end(), row.floats, row.floats + dim_);
    rows.slots.insert(rows.slots.end(), row.floats + dim_, row.floats + dim_ + slot_floats);
    rows.counters.insert(rows.counters.end(), {row.last_step, row.updates});
  });
  for (const auto& [id, seen] : kept_->waiting) {
    copy.waiting.push_back({id, seen.sightings, seen.last_step});
  }
  std::sort(copy.waiting.begin(), copy.waiting.end(),
            [](const WaitingId& a, const WaitingId& b) { return a.id < b.id; });
  return copy;
}

absl::Status TableBucket::Restore(const BucketSnapshot& snapshot) {
  MutexLock lock(mutex_);
  progress_.Restore(snapshot.position);
  // Time in which nothing was trained does not count.
  const uint32_t now = options_.clock == nullptr ? 0 : options_.clock->seconds();
  const BucketRows& rows = snapshot.rows;
  const size_t slot_floats = rows_.layout().slot_floats;
  if (!rows.ids.empty()) rows_.Reserve(rows_.size() + rows.ids.size());
  for (size_t i = 0; i < rows.ids.size(); ++i) {
    bool inserted;
    const Row row = rows_.FindOrInsert(rows.ids[i], &inserted);
    if (!row) {
      return absl::ResourceExhaustedError(
          absl::StrCat("table \"", options_.table->name, "\": got ", rows.ids.size(),
                       " rows in one bucket, want at most ", RowStore::kMaxRows));
    }
    std::copy_n(rows.weights.data() + i * dim_, dim_, row.weights);
    std::copy_n(rows.slots.data() + i * slot_floats, slot_floats, row.slots);
    row.header->last_step = rows.counters[2 * i];
    row.header->last_second = now & RowClock::kMaxSeconds;
    row.header->updates = rows.counters[2 * i + 1];
  }
  RowLifeState::Candidates waiting;
  for (const WaitingId& id : snapshot.waiting) {
    waiting[id.id] = {static_cast<uint32_t>(id.sightings), now, id.last_step};
  }
  life_.Restore(std::move(waiting));
  return absl::OkStatus();
}

CellCounts TableBucket::GetCounts() const {
  MutexLock lock(mutex_);
  return progress_.counts();
}

RowCounts TableBucket::GetRowCounts() const {
  MutexLock lock(mutex_);
  return life_.Counts(rows_);
}

uint64_t TableBucket::TrafficBytes() const {
  MutexLock lock(mutex_);
  return traffic_rows_ * (sizeof(uint64_t) + dim_ * sizeof(float));
}

void TableBucket::Export(std::vector<uint64_t>* ids, std::vector<float>* values) const {
  MutexLock lock(mutex_);
  rows_.ForEachById([&](const Row& row) {
    if (options_.updater->ReadsAsUnknown(row.weights)) return;
    ids->push_back(row.header->id());
    values->insert(values->end(), row.weights, row.weights + dim_);
  });
}

}  // namespace convoy
