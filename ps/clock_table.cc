#include "ps/clock_table.h"

#include <algorithm>

namespace convoy {

void ClockTable::Join(uint32_t worker, uint64_t clock) {
  const std::optional<uint32_t> slowest = Slowest();
  const uint64_t level = slowest ? workers_.at(*slowest).level() : 0;
  workers_.try_emplace(worker, Entry{level, clock, clock});
}

std::vector<uint32_t> ClockTable::JoinedFrom(uint32_t rank) const {
  std::vector<uint32_t> joined;
  for (auto it = workers_.lower_bound(rank); it != workers_.end(); ++it)
    joined.push_back(it->first);
  return joined;
}

void ClockTable::Advance(uint32_t worker, uint64_t clock) {
  const auto it = workers_.find(worker);
  if (it != workers_.end()) it->second.clock = std::max(it->second.clock, clock);
}

bool ClockTable::MayRead(uint32_t worker) const {
  const auto it = workers_.find(worker);
  return it == workers_.end() || it->second.level() <= workers_.at(*Slowest()).level() + bound_;
}

std::optional<uint32_t> ClockTable::Slowest() const {
  const auto it = std::min_element(
      workers_.begin(), workers_.end(),
      [](const auto& a, const auto& b) { return a.second.level() < b.second.level(); });
  if (it == workers_.end()) return std::nullopt;
  return it->first;
}

}  // namespace convoy
