#include "ps/table/row_limits.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/math/table.h"

namespace convoy {
namespace {

// Header and index, and of the rows themselves what a bucket has taken but not filled
// (ps/table/row_store.h, row_slab.h).
constexpr double kRowOverhead = 32;
constexpr double kUnfilled = 33.0 / 32;
// Of an id that waits for its row, of which there are as many as there may be rows: what a hash
// table takes that has just grown (RowLifeState::Counts).
constexpr double kWaitingId = 58;

absl::StatusOr<bool> Matches(const v1::TableRule& rule, const std::string& name) {
  if (!rule.has_match()) return true;
  const re2::RE2 pattern(rule.match(), re2::RE2::Quiet);
  if (pattern.ok()) return re2::RE2::FullMatch(name, pattern);
  return absl::InvalidArgumentError(
      absl::StrCat("table.match: got \"", rule.match(),
                   "\", want an RE2 regular expression: ", pattern.error()));
}

// The rules that match, put together.
absl::StatusOr<v1::TableRule> RuleFor(const std::vector<v1::TableRule>& rules,
                                      const std::string& name) {
  v1::TableRule all;
  for (const v1::TableRule& rule : rules) {
    const absl::StatusOr<bool> matches = Matches(rule, name);
    if (!matches.ok()) return matches.status();
    if (*matches) all.MergeFrom(rule);
  }
  return all;
}

}  // namespace

absl::StatusOr<RowLife> RowLifeFor(const std::vector<v1::TableRule>& rules, const std::string& name,
                                   size_t row_bytes) {
  const absl::StatusOr<v1::TableRule> rule = RuleFor(rules, name);
  if (!rule.ok()) return rule.status();
  RowLife life;
  life.admit_after = std::max(1u, rule->admit_after());
  life.expire_after = rule->expire_after();
  life.expire_after_seconds = rule->expire_after_seconds();
  if (rule->when_full() == v1::TableRule::EVICT_OLDEST)
    life.when_full = RowLife::WhenFull::kEvictOldest;
  if (rule->max_rows() > 0) life.max_rows = rule->max_rows() / kTableBuckets;
  if (rule->max_mb() > 0) {
    const double bytes = static_cast<double>(row_bytes) * kUnfilled + kRowOverhead +
                         (life.admit_after > 1 ? kWaitingId : 0);
    const double rows = rule->max_mb() * 1e6 / kTableBuckets / bytes;
    life.max_rows = std::min(life.max_rows, static_cast<uint64_t>(std::min(rows, 1e18)));
  }
  if (life.max_rows > 0) return life;
  return absl::InvalidArgumentError(absl::StrCat(
      "table \"", name, "\": max_rows ", rule->max_rows(), " and max_mb ", rule->max_mb(),
      " leave its ", kTableBuckets, " buckets less than a row each of ", row_bytes,
      " bytes; want at least ", kTableBuckets, " rows"));
}

}  // namespace convoy
