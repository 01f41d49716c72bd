#include "common/checkpoint/init_report.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace convoy {
namespace {

using InitRow = std::array<std::string, 4>;  // name, action, shape, the rest

std::string ActionText(const v1::InitPlan::Item& item) {
  const std::string from = item.from() == item.name() ? "" : absl::StrCat(" from ", item.from());
  switch (item.action()) {
    case v1::InitPlan::LOADED:
      return "loaded";
    case v1::InitPlan::MAPPED:
      return absl::StrCat("mapped", from);
    case v1::InitPlan::WIDENED:
      return absl::StrCat("widened", from);
    default:
      return "new";
  }
}

std::string ShapeText(const google::protobuf::RepeatedField<uint64_t>& sizes) {
  return sizes.empty() ? "1" : absl::StrJoin(sizes, " x ");
}

std::string ShapesText(const v1::InitPlan::Item& item, bool table) {
  std::string text = ShapeText(item.shape());
  if (item.action() == v1::InitPlan::WIDENED) {
    text = absl::StrCat(ShapeText(item.from_shape()), " -> ", text);
  }
  if (table) absl::StrAppend(&text, " columns, ", item.rows(), " rows");
  return text;
}

std::string Remarks(const v1::InitPlan::Item& item) {
  std::vector<std::string> remarks;
  if (item.slots_size() > 0)
    remarks.push_back(absl::StrCat("slots ", absl::StrJoin(item.slots(), ", ")));
  if (item.slots_new()) remarks.push_back(item.slots_size() > 0 ? "other slots new" : "slots new");
  if (item.anchored()) remarks.push_back("anchored");
  if (item.frozen()) remarks.push_back("frozen");
  return absl::StrJoin(remarks, "; ");
}

std::vector<std::string> Aligned(const std::vector<InitRow>& rows) {
  std::array<size_t, 4> widths{};
  for (const InitRow& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::vector<std::string> lines;
  for (const InitRow& row : rows) {
    std::string& line = lines.emplace_back();
    for (size_t c = 0; c < row.size(); ++c) {
      absl::StrAppend(&line, "  ", row[c], std::string(widths[c] - row[c].size(), ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace

std::vector<std::string> InitReport(const v1::InitPlan& plan) {
  std::vector<InitRow> rows;
  const auto add = [&](const v1::InitPlan::Item& item, bool table) {
    rows.push_back({item.name(), ActionText(item), ShapesText(item, table), Remarks(item)});
  };
  for (const auto& item : plan.variables()) add(item, false);
  for (const auto& item : plan.tables()) add(item, true);
  std::vector<std::string> lines = {absl::StrCat("begins with ", plan.path())};
  if (!plan.note().empty()) lines.push_back(absl::StrCat("  note: ", plan.note()));
  for (std::string& line : Aligned(rows)) lines.push_back(std::move(line));
  if (plan.unused_size() > 0) {
    lines.push_back(absl::StrCat("  not used: ", absl::StrJoin(plan.unused(), ", ")));
  }
  return lines;
}

}  // namespace convoy
