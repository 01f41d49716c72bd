#include "ps/table/row_life.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace convoy {
namespace {

using Age = std::pair<uint64_t, uint64_t>;  // last step, id

// The `count` smallest, in any order.
std::vector<Age> Oldest(std::vector<Age> ages, size_t count) {
  if (count >= ages.size()) return ages;
  std::nth_element(ages.begin(), ages.begin() + static_cast<std::ptrdiff_t>(count), ages.end());
  ages.resize(count);
  return ages;
}

uint32_t SeenNow(std::span<const uint32_t> sightings, size_t i) {
  return sightings.empty() ? 1 : sightings[i];
}

}  // namespace

void RowCounts::Add(const RowCounts& other) {
  rows += other.rows;
  waiting += other.waiting;
  admitted += other.admitted;
  refused += other.refused;
  expired += other.expired;
  evicted += other.evicted;
  bytes += other.bytes;
}

void RowLifeState::MakeRoom(const RowTime& now, std::span<const uint64_t> ids,
                            std::span<const uint32_t> sightings, RowStore* rows,
                            const Removed& removed) {
  if (ExpiryIsDue(now)) Expire(now, rows, removed);
  if (life_.when_full != RowLife::WhenFull::kEvictOldest ||
      rows->size() + ids.size() <= life_.max_rows)
    return;
  uint64_t wanted = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool gets_row = !rows->Find(ids[i]) && IsAdmitted(ids[i], SeenNow(sightings, i));
    wanted += gets_row ? 1 : 0;
  }
  if (rows->size() + wanted <= life_.max_rows) return;
  EvictOldest(rows->size() + wanted - life_.max_rows, ids, rows, removed);
}

bool RowLifeState::IsAdmitted(uint64_t id, uint32_t sightings) const {
  if (life_.admit_after <= 1) return true;
  const auto candidate = candidates_.find(id);
  const uint64_t before = candidate == candidates_.end() ? 0 : candidate->second.sightings;
  return before + sightings >= life_.admit_after;
}

// The bucket is looked through eight times in the life of a row, which so may last an eighth
// longer.
bool RowLifeState::ExpiresAt(uint64_t step) const {
  return life_.expire_after > 0 && step % std::max<uint64_t>(1, life_.expire_after / 8) == 0;
}

bool RowLifeState::ExpiryIsDue(const RowTime& now) {
  const bool by_step = ExpiresAt(now.step);
  const bool by_time = life_.expire_after_seconds > 0 && now.second >= next_expiry_second_;
  if (by_time) {
    next_expiry_second_ = now.second + std::max<uint64_t>(1, life_.expire_after_seconds / 8);
  }
  return by_step || by_time;
}

bool RowLifeState::IsOld(uint64_t last_step, uint32_t last_second, const RowTime& now) const {
  return (life_.expire_after > 0 && last_step + life_.expire_after < now.step) ||
         (life_.expire_after_seconds > 0 && last_second + life_.expire_after_seconds < now.second);
}

void RowLifeState::Expire(const RowTime& now, RowStore* rows, const Removed& removed) {
  std::vector<uint64_t> old;
  rows->ForEach([&](const Row& row) {
    const RowHeader& header = *row.header;
    // A counter that has come to its end says nothing.
    const bool counts = header.last_step < std::numeric_limits<uint32_t>::max();
    const uint64_t last_step = counts ? header.last_step : now.step;
    if (IsOld(last_step, header.last_second, now)) old.push_back(header.id());
  });
  std::sort(old.begin(), old.end());
  for (const uint64_t id : old) {
    removed(rows->Find(id));
    rows->Erase(id);
  }
  counts_.expired += old.size();
  absl::erase_if(candidates_, [&](const auto& c) {
    return IsOld(c.second.last_step, c.second.last_second, now);
  });
}

// Somewhat more than are needed, since looking for them takes a pass over the bucket.
void RowLifeState::EvictOldest(uint64_t count, std::span<const uint64_t> keep, RowStore* rows,
                               const Removed& removed) {
  std::vector<Age> ages;
  rows->ForEach([&](const Row& row) {
    if (!std::binary_search(keep.begin(), keep.end(), row.header->id())) {
      ages.emplace_back(row.header->last_step, row.header->id());
    };
  });
  const std::vector<Age> oldest =
      Oldest(std::move(ages), std::max<uint64_t>(count, rows->size() / 16));
  for (const auto& [last_step, id] : oldest) {
    removed(rows->Find(id));
    rows->Erase(id);
  }
  counts_.evicted += oldest.size();
}

bool RowLifeState::Admit(uint64_t id, uint32_t sightings, const RowTime& now, uint64_t rows) {
  if (life_.admit_after > 1) {
    Candidate& candidate = candidates_[id];
    candidate.sightings += sightings;
    candidate.last_step = now.step;
    candidate.last_second = now.second;
    if (candidate.sightings < life_.admit_after) return false;
  }
  if (rows >= life_.max_rows) {
    ++counts_.refused;
    return false;
  }
  candidates_.erase(id);
  ++counts_.admitted;
  return true;
}

void RowLifeState::LimitCandidates() {
  if (candidates_.size() <= life_.max_rows) return;
  std::vector<Age> ages;
  for (const auto& [id, candidate] : candidates_) ages.emplace_back(candidate.last_step, id);
  const size_t gone = std::max<size_t>(candidates_.size() / 2, candidates_.size() - life_.max_rows);
  for (const auto& [last_step, id] : Oldest(std::move(ages), gone)) candidates_.erase(id);
}

RowCounts RowLifeState::Counts(const RowStore& rows) const {
  RowCounts counts = counts_;
  counts.rows = rows.size();
  counts.waiting = candidates_.size();
  counts.bytes =
      rows.bytes() + candidates_.capacity() * (sizeof(std::pair<uint64_t, Candidate>) + 1);
  return counts;
}

}  // namespace convoy
