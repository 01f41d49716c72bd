#include "common/math/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"

namespace convoy {

uint32_t TableSpec::dim() const {
  uint32_t columns = 0;
  for (const ColumnRange& range : ranges) columns += range.size;
  return columns;
}

void InitializeRow(const TableSpec& table, uint64_t seed, uint64_t id, std::span<float> out) {
  const auto is_random = [](const ColumnRange& range) {
    return range.initializer.kind == Initializer::Kind::kUniform ||
           range.initializer.kind == Initializer::Kind::kNormal;
  };
  uint32_t begin = 0;
  for (const ColumnRange& range : table.ranges) {
    const std::span<float> columns = out.subspan(begin, range.size);
    const float scale = range.initializer.scale;
    if (!is_random(range)) {
      const bool constant = range.initializer.kind == Initializer::Kind::kConstant;
      std::fill(columns.begin(), columns.end(), constant ? scale : 0.0f);
    } else {
      const RandomStream stream(seed, absl::StrCat("initial_row/", table.name), id);
      const bool normal = range.initializer.kind == Initializer::Kind::kNormal;
      if (normal) {
        stream.FillNormal(begin, columns);
      } else {
        stream.FillUniform(begin, columns);
      }
      for (float& value : columns) value = normal ? value * scale : (2.0f * value - 1.0f) * scale;
    }
    begin += range.size;
  }
}

}  // namespace convoy
