#include "ps/table/removed_rows.h"

#include <algorithm>

namespace convoy {
namespace {

constexpr size_t kAlwaysKept = 64;  // of however few rows

}  // namespace

void RemovedRows::Add(uint64_t id, uint64_t step, size_t most) {
  removals_.emplace_back(step, id);
  if (removals_.size() <= std::max(most, kAlwaysKept)) return;
  removals_ = {};
  forgotten_ = step;
}

RemovedRows::Removals::const_iterator RemovedRows::After(uint64_t step) const {
  return std::partition_point(removals_.begin(), removals_.end(),
                              [step](const auto& removal) { return removal.first <= step; });
}

std::vector<uint64_t> RemovedRows::Between(uint64_t since, uint64_t until) const {
  std::vector<uint64_t> ids;
  for (auto removal = After(since); removal != After(until); ++removal) {
    ids.push_back(removal->second);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

void RemovedRows::Forget(uint64_t step) { removals_.erase(removals_.begin(), After(step)); }

}  // namespace convoy
