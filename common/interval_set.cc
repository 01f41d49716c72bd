#include "common/interval_set.h"

#include <algorithm>
#include <iterator>

namespace convoy {

void IntervalSet::Add(uint64_t begin, uint64_t end) {
  if (begin >= end) return;
  auto it = ends_.upper_bound(begin);
  if (it != ends_.begin() && std::prev(it)->second >= begin) --it;
  while (it != ends_.end() && it->first <= end) {
    begin = std::min(begin, it->first);
    end = std::max(end, it->second);
    it = ends_.erase(it);
  }
  ends_[begin] = end;
}

bool IntervalSet::Contains(uint64_t value) const {
  const auto it = ends_.upper_bound(value);
  return it != ends_.begin() && std::prev(it)->second > value;
}

}  // namespace convoy
