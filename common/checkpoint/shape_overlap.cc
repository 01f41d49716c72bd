#include "common/checkpoint/shape_overlap.h"

#include <algorithm>
#include <optional>

namespace convoy {
namespace {

// The row of `from` that is row `row` of `to`, a row being all dimensions but the last.
std::optional<uint64_t> SameRow(std::span<const uint64_t> to, std::span<const uint64_t> from,
                                uint64_t row) {
  uint64_t same = 0, scale = 1;
  for (size_t d = to.size() - 1; d-- > 0;) {
    const uint64_t index = row % to[d];
    if (index >= from[d]) return std::nullopt;
    same += index * scale;
    scale *= from[d];
    row /= to[d];
  }
  return same;
}

void AppendRun(const OverlapRun& run, std::vector<OverlapRun>* runs) {
  if (!runs->empty()) {
    OverlapRun& last = runs->back();
    if (last.to + last.length == run.to && last.from + last.length == run.from) {
      last.length += run.length;
      return;
    }
  }
  runs->push_back(run);
}

}  // namespace

std::vector<OverlapRun> FindOverlap(std::span<const uint64_t> to, std::span<const uint64_t> from,
                                    uint64_t first, uint64_t count) {
  if (to.empty())
    return count == 0 ? std::vector<OverlapRun>() : std::vector<OverlapRun>{{0, 0, 1}};
  std::vector<OverlapRun> runs;
  const uint64_t columns = to.back(), common = std::min(to.back(), from.back());
  const uint64_t end = first + count;
  for (uint64_t row = first / columns; row * columns < end; ++row) {
    const std::optional<uint64_t> same = SameRow(to, from, row);
    const uint64_t begin_column = std::max(first, row * columns) - row * columns;
    const uint64_t end_column = std::min(std::min(end - row * columns, columns), common);
    if (!same || begin_column >= end_column) continue;
    AppendRun({row * columns + begin_column, *same * from.back() + begin_column,
               end_column - begin_column},
              &runs);
  }
  return runs;
}

}  // namespace convoy
