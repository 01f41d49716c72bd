#include "ps/table/row_keeper.h"

#include <algorithm>
#include <limits>

namespace convoy {
namespace {

// A counter that can't count any further says nothing.
bool ChangedSince(uint32_t last_step, std::optional<uint64_t> since) {
  return !since || last_step > *since || last_step == std::numeric_limits<uint32_t>::max();
}

}  // namespace

void RowKeeper::Keep(const Row& row) {
  const uint64_t id = row.header->id();
  if (absent_.contains(id)) return;
  const auto [place, first_time] =
      rows_.try_emplace(id, Place{values_.size(), row.header->last_step, row.header->updates});
  if (first_time) values_.insert(values_.end(), row.weights, row.weights + floats_);
}

void RowKeeper::KeepAbsence(uint64_t id) {
  if (!rows_.contains(id)) absent_.insert(id);
}

KeptRow RowKeeper::At(uint64_t id, const Place& place) const {
  return {id, values_.data() + place.first, place.last_step, place.updates};
}

uint64_t RowKeeper::Count(RowStore& now) const {
  uint64_t gone = 0, born = 0;
  for (const auto& [id, place] : rows_) gone += now.Find(id) ? 0 : 1;
  for (const uint64_t id : absent_) born += now.Find(id) ? 1 : 0;
  return now.size() + gone - born;
}

uint64_t RowKeeper::CountSince(uint64_t since, RowStore& now) const {
  uint64_t count = 0;
  now.ForEach([&](const Row& row) { count += IsWanted(row, since) ? 1 : 0; });
  for (const auto& [id, place] : rows_) {
    if (!now.Find(id) && ChangedSince(place.last_step, since)) ++count;
  }
  return count;
}

bool RowKeeper::IsWanted(const Row& row, std::optional<uint64_t> since) const {
  const uint64_t id = row.header->id();
  if (absent_.contains(id)) return false;
  const auto kept = rows_.find(id);
  return ChangedSince(kept != rows_.end() ? kept->second.last_step : row.header->last_step, since);
}

void RowKeeper::ForEach(std::optional<uint64_t> since, RowStore& now,
                        absl::FunctionRef<void(const KeptRow&)> fn) const {
  std::vector<uint64_t> gone;
  for (const auto& [id, place] : rows_) {
    if (!now.Find(id) && ChangedSince(place.last_step, since)) gone.push_back(id);
  }
  std::sort(gone.begin(), gone.end());
  auto next_gone = gone.begin();
  const auto give_gone_below = [&](uint64_t id) {
    for (; next_gone != gone.end() && *next_gone < id; ++next_gone)
      fn(At(*next_gone, rows_.at(*next_gone)));
  };
  const auto wanted = [&](const Row& row) { return IsWanted(row, since); };
  now.ForEachById(wanted, [&](const Row& row) {
    const uint64_t id = row.header->id();
    give_gone_below(id);
    const auto kept = rows_.find(id);
    fn(kept != rows_.end() ? At(id, kept->second)
                           : KeptRow{id, row.weights, row.header->last_step, row.header->updates});
  });
  for (; next_gone != gone.end(); ++next_gone) fn(At(*next_gone, rows_.at(*next_gone)));
}

}  // namespace convoy
