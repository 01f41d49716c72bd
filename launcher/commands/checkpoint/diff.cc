#include "launcher/commands/checkpoint/diff.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/math/table.h"
#include "common/status.h"
#include "launcher/commands/checkpoint/texts.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

constexpr uint64_t kDiffPiece = 65536;  // values read at once

// Without the sign of NaN.
std::string ShortestNumber(double number) {
  return std::isnan(number) ? "nan" : absl::StrFormat("%.4g", number);
}

std::string RelativeText(const ChangeSums& sums) {
  return std::isinf(sums.relative_norm()) ? "-" : ShortestNumber(sums.relative_norm());
}

absl::Status AddVariable(const CheckpointReader& a, size_t in_a, const CheckpointReader& b,
                         size_t in_b, ChangeSums* sums) {
  std::vector<float> values_a, values_b;
  const uint64_t size = a.blocks(in_a).back().end;
  for (uint64_t first = 0; first < size; first += kDiffPiece) {
    values_a.resize(std::min(kDiffPiece, size - first));
    values_b.resize(values_a.size());
    CONVOY_RETURN_IF_ERROR(a.Read(in_a, std::nullopt, first, values_a));
    CONVOY_RETURN_IF_ERROR(b.Read(in_b, std::nullopt, first, values_b));
    sums->Add(values_a, values_b);
  }
  return absl::OkStatus();
}

struct TableChange {
  uint64_t added = 0, removed = 0, changed = 0, same = 0;  // rows
  ChangeSums sums;                                         // of rows that are in both
};

// Both have the ids ascending.
void AddBucket(const BucketRows& a, const BucketRows& b, size_t dim, TableChange* change) {
  size_t i = 0, j = 0;
  while (i < a.ids.size() || j < b.ids.size()) {
    if (j == b.ids.size() || (i < a.ids.size() && a.ids[i] < b.ids[j])) {
      ++change->removed;
      ++i;
    } else if (i == a.ids.size() || b.ids[j] < a.ids[i]) {
      ++change->added;
      ++j;
    } else {
      const auto row_a = std::span(a.weights).subspan(i++ * dim, dim);
      const auto row_b = std::span(b.weights).subspan(j++ * dim, dim);
      const bool same = std::memcmp(row_a.data(), row_b.data(), row_a.size_bytes()) == 0;
      ++(same ? change->same : change->changed);
      change->sums.Add(row_a, row_b);
    }
  }
}

absl::StatusOr<TableChange> ChangeOfTable(const CheckpointReader& a, size_t in_a,
                                          const CheckpointReader& b, size_t in_b) {
  TableChange change;
  BucketRows rows_a, rows_b;
  for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
    CONVOY_RETURN_IF_ERROR(a.ReadBucket(in_a, bucket, &rows_a));
    CONVOY_RETURN_IF_ERROR(b.ReadBucket(in_b, bucket, &rows_b));
    AddBucket(rows_a, rows_b, a.tables()[in_a].dim, &change);
  }
  return change;
}

template <typename Named>
std::map<std::string, size_t> PlacesByName(const std::vector<Named>& named) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < named.size(); ++i) places.emplace(named[i].name, i);
  return places;
}

// "NAME  only in A", for those of `only` that `others` lacks.
template <typename Named>
void AddOnlyIn(const char* which, const std::vector<Named>& only, const std::vector<Named>& others,
               std::vector<TextRow>* rows) {
  const auto places = PlacesByName(others);
  for (const Named& named : only) {
    if (!places.contains(named.name))
      rows->push_back({named.name, absl::StrCat("only in ", which)});
  }
}

// `apart`: what can't be compared.
absl::StatusOr<std::vector<TextRow>> VariableChanges(const CheckpointReader& a,
                                                     const CheckpointReader& b,
                                                     std::vector<TextRow>* apart) {
  std::vector<TextRow> rows = {{"variable", "values", "change", "relative", "max change"}};
  const auto places = PlacesByName(b.variables());
  for (size_t in_a = 0; in_a < a.variables().size(); ++in_a) {
    const WeightArchive::Variable& variable = a.variables()[in_a];
    const auto in_b = places.find(variable.name);
    if (in_b == places.end()) continue;
    if (b.variables()[in_b->second].shape != variable.shape) {
      apart->push_back(
          {variable.name, absl::StrCat(ShapeText(variable.shape), " in A, ",
                                       ShapeText(b.variables()[in_b->second].shape), " in B")});
      continue;
    }
    ChangeSums sums;
    CONVOY_RETURN_IF_ERROR(AddVariable(a, in_a, b, in_b->second, &sums));
    rows.push_back({variable.name, absl::StrCat(a.blocks(in_a).back().end),
                    sums.changed() ? ShortestNumber(sums.norm()) : "same", RelativeText(sums),
                    ShortestNumber(sums.max_change())});
  }
  AddOnlyIn("A", a.variables(), b.variables(), apart);
  AddOnlyIn("B", b.variables(), a.variables(), apart);
  return rows;
}

absl::StatusOr<std::vector<TextRow>> TableChanges(const CheckpointReader& a,
                                                  const CheckpointReader& b,
                                                  std::vector<TextRow>* apart) {
  std::vector<TextRow> rows = {
      {"table", "rows added", "removed", "changed", "same", "change", "relative", "max change"}};
  const auto places = PlacesByName(b.tables());
  for (size_t in_a = 0; in_a < a.tables().size(); ++in_a) {
    const WeightArchive::Table& table = a.tables()[in_a];
    const auto in_b = places.find(table.name);
    if (in_b == places.end()) continue;
    if (b.tables()[in_b->second].dim != table.dim) {
      apart->push_back({table.name, absl::StrCat(table.dim, " columns in A, ",
                                                 b.tables()[in_b->second].dim, " in B")});
      continue;
    }
    CONVOY_ASSIGN_OR_RETURN(const TableChange change, ChangeOfTable(a, in_a, b, in_b->second));
    rows.push_back({table.name, absl::StrCat(change.added), absl::StrCat(change.removed),
                    absl::StrCat(change.changed), absl::StrCat(change.same),
                    ShortestNumber(change.sums.norm()), RelativeText(change.sums),
                    ShortestNumber(change.sums.max_change())});
  }
  AddOnlyIn("A", a.tables(), b.tables(), apart);
  AddOnlyIn("B", b.tables(), a.tables(), apart);
  return rows;
}

std::string SideText(const char* which, const CheckpointReader& checkpoint) {
  return absl::StrCat(which, "  ", checkpoint.path(), ", step ", checkpoint.manifest().step, ", ",
                      CountText(checkpoint.manifest().examples, "example"), "\n");
}

}  // namespace

void ChangeSums::Add(std::span<const float> a, std::span<const float> b) {
  changed_ = changed_ || std::memcmp(a.data(), b.data(), a.size_bytes()) != 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double change = double{b[i]} - double{a[i]};
    squares_of_change_ += change * change;
    squares_of_a_ += double{a[i]} * double{a[i]};
    // Comparisons with NaN are false: once there, it stays.
    if (std::isnan(change) || std::abs(change) > max_change_) max_change_ = std::abs(change);
  }
}

double ChangeSums::norm() const { return std::sqrt(squares_of_change_); }

double ChangeSums::relative_norm() const {
  return norm() == 0 ? 0 : norm() / std::sqrt(squares_of_a_);
}

absl::StatusOr<std::string> DiffText(const CheckpointReader& a, const CheckpointReader& b) {
  std::string text = absl::StrCat(SideText("A", a), SideText("B", b));
  std::vector<TextRow> apart;
  CONVOY_ASSIGN_OR_RETURN(const std::vector<TextRow> variables, VariableChanges(a, b, &apart));
  if (variables.size() > 1) absl::StrAppend(&text, "\n", AlignColumns(variables, Side::kRight));
  CONVOY_ASSIGN_OR_RETURN(const std::vector<TextRow> tables, TableChanges(a, b, &apart));
  if (tables.size() > 1) absl::StrAppend(&text, "\n", AlignColumns(tables, Side::kRight));
  if (!apart.empty()) absl::StrAppend(&text, "\n", AlignColumns(apart, Side::kLeft));
  absl::StrAppend(&text,
                  "\nchange: L2 norm of B - A; relative: divided by the L2 norm of A; max change: "
                  "the largest |B - A|\n");
  return text;
}

}  // namespace convoy
