#include "common/rule_matches.h"

#include <string>
#include <utility>
#include <vector>

#include "common/name_patterns.h"
#include "common/status.h"

namespace convoy {
namespace {

using RuleExpressions = google::protobuf::RepeatedPtrField<std::string>;

absl::Status CheckExpressions(std::string field, const RuleExpressions& expressions,
                              std::string_view what, std::span<const std::string> names) {
  CONVOY_ASSIGN_OR_RETURN(NamePatterns patterns,
                          NamePatterns::Compile(std::move(field), expressions));
  for (const std::string& name : names) patterns.Matches(name);
  return patterns.CheckAllMatched(what, names);
}

template <typename Rules>
RuleExpressions ExpressionsOf(const Rules& rules) {
  RuleExpressions expressions;
  for (const auto& rule : rules) {
    if (rule.has_match()) *expressions.Add() = rule.match();
  }
  return expressions;
}

}  // namespace

absl::Status CheckRuleMatches(const v1::Job& job, std::span<const VariableSpec> variables,
                              std::span<const TableSpec> tables) {
  std::vector<std::string> parts, table_names;
  for (const VariableSpec& variable : variables) parts.push_back(variable.name);
  for (const TableSpec& table : tables) {
    table_names.push_back(table.name);
    for (const ColumnRange& range : table.ranges) parts.push_back(table.name + "/" + range.name);
  }
  constexpr char kPart[] = "variable or column range";
  CONVOY_RETURN_IF_ERROR(
      CheckExpressions("optimizer.freeze", job.optimizer().freeze(), kPart, parts));
  CONVOY_RETURN_IF_ERROR(CheckExpressions("optimizer.override.match",
                                          ExpressionsOf(job.optimizer().override()), kPart, parts));
  return CheckExpressions("table.match", ExpressionsOf(job.table()), "table", table_names);
}

}  // namespace convoy
