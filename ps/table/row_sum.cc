#include "ps/table/row_sum.h"

#include <algorithm>
#include <utility>

namespace convoy {
namespace {

struct Merged {
  std::vector<uint64_t> ids;
  std::vector<float> values;
  std::vector<uint32_t> sightings;
};

}  // namespace

std::shared_ptr<const RowBlock> CopyRows(RowIds rows, const Payload& values) {
  auto copy = std::make_unique_for_overwrite<float[]>(values.size() / sizeof(float));
  values.CopyTo(copy.get());
  return std::make_shared<const RowBlock>(RowBlock{std::move(rows), std::move(copy)});
}

RowSum RowAdder::operator()(const RowSum& left, const RowSum& right) const {
  const uint64_t examples = left.examples + right.examples;
  if (left.ids.empty() || right.ids.empty()) {
    RowSum sum = left.ids.empty() ? right : left;
    sum.examples = examples;
    return sum;
  }
  auto merged = std::make_shared<Merged>();
  const size_t most = left.ids.size() + right.ids.size();
  merged->ids.reserve(most);
  merged->sightings.reserve(most);
  merged->values.reserve(most * dim_);
  const auto append = [&](const RowSum& rows, size_t i) {
    merged->ids.push_back(rows.ids[i]);
    merged->sightings.push_back(rows.sightings_of(i));
    const auto row = rows.values.begin() + static_cast<std::ptrdiff_t>(i * dim_);
    merged->values.insert(merged->values.end(), row, row + dim_);
  };
  size_t l = 0, r = 0;
  while (l < left.ids.size() || r < right.ids.size()) {
    const bool from_left =
        r == right.ids.size() || (l < left.ids.size() && left.ids[l] <= right.ids[r]);
    if (!from_left) {
      append(right, r++);
      continue;
    }
    append(left, l);
    if (r < right.ids.size() && left.ids[l] == right.ids[r]) {
      float* const row = merged->values.data() + merged->values.size() - dim_;
      for (uint32_t c = 0; c < dim_; ++c) row[c] += right.values[r * dim_ + c];
      merged->sightings.back() += right.sightings_of(r++);
    }
    ++l;
  }
  return {merged->ids, merged->values, merged->sightings, examples, merged};
}

}  // namespace convoy
