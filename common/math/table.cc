#include "common/math/table.h"

#include <algorithm>
#include <set>
#include <utility>

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

v1::Table ToProto(const TableSpec& table) {
  v1::Table proto;
  proto.set_name(table.name);
  for (const ColumnRange& range : table.ranges) {
    v1::ColumnRange* const columns = proto.add_ranges();
    columns->set_name(range.name);
    columns->set_size(range.size);
    columns->set_initializer(ToProto(range.initializer.kind));
    columns->set_scale(range.initializer.scale);
  }
  return proto;
}

absl::Status FromProto(const v1::Table& proto, TableSpec* table) {
  constexpr uint64_t kMaxColumns = 4096;
  if (proto.name().empty()) return absl::InvalidArgumentError("a table has an empty name");
  const std::string owner = absl::StrCat("table \"", proto.name(), "\"");
  TableSpec read{proto.name(), {}};
  std::set<std::string> names;
  uint64_t columns = 0;
  for (const v1::ColumnRange& range : proto.ranges()) {
    if (range.name().empty() || !names.insert(range.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(owner, ": column range \"", range.name(), "\" has no name of its own"));
    }
    ColumnRange& last = read.ranges.emplace_back(ColumnRange{range.name(), range.size(), {}});
    if (absl::Status status =
            FromProto(range.initializer(), range.scale(), owner, &last.initializer);
        !status.ok()) {
      return status;
    }
    columns += range.size();
    if (columns > kMaxColumns || range.size() == 0) break;
  }
  const bool empty = proto.ranges().empty() || read.ranges.back().size == 0;
  if (empty || columns > kMaxColumns) {
    return absl::InvalidArgumentError(
        absl::StrCat(owner, ": ", empty ? "a column range without columns" : "too many columns",
                     ", want 1 to ", kMaxColumns, " in all"));
  }
  *table = std::move(read);
  return absl::OkStatus();
}

}  // namespace convoy
