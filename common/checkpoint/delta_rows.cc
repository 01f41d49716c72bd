#include "common/checkpoint/delta_rows.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace convoy {
namespace {

// Appends row `i` of `from`.
void AppendRow(const BucketRows& from, size_t i, BucketRows* to) {
  const auto append = [&](const auto& values, auto* all) {
    const size_t width = values.size() / from.ids.size();
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * width);
    all->insert(all->end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  };
  to->ids.push_back(from.ids[i]);
  append(from.weights, &to->weights);
  append(from.slots, &to->slots);
  append(from.counters, &to->counters);
}

}  // namespace

BucketRows ApplyDelta(const BucketRows& base, const BucketRows& changed,
                      std::span<const uint64_t> removed) {
  BucketRows rows;
  rows.ids.reserve(base.ids.size() + changed.ids.size());
  rows.weights.reserve(base.weights.size() + changed.weights.size());
  rows.slots.reserve(base.slots.size() + changed.slots.size());
  rows.counters.reserve(base.counters.size() + changed.counters.size());
  size_t b = 0, c = 0;
  while (b < base.ids.size() || c < changed.ids.size()) {
    const bool from_base =
        c == changed.ids.size() || (b < base.ids.size() && base.ids[b] < changed.ids[c]);
    if (!from_base) {
      if (b < base.ids.size() && base.ids[b] == changed.ids[c]) ++b;
      AppendRow(changed, c++, &rows);
    } else {
      if (!std::binary_search(removed.begin(), removed.end(), base.ids[b])) {
        AppendRow(base, b, &rows);
      }
      ++b;
    }
  }
  return rows;
}

}  // namespace convoy
