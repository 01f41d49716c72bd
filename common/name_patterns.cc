#include "common/name_patterns.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace convoy {

NamePatterns::NamePatterns(std::string field) : field_(std::move(field)) {}
NamePatterns::NamePatterns(NamePatterns&&) noexcept = default;
NamePatterns& NamePatterns::operator=(NamePatterns&&) noexcept = default;
NamePatterns::~NamePatterns() = default;

absl::StatusOr<NamePatterns> NamePatterns::Compile(
    std::string field, const google::protobuf::RepeatedPtrField<std::string>& patterns) {
  NamePatterns compiled(std::move(field));
  for (const std::string& pattern : patterns) {
    auto expression = std::make_unique<RE2>(pattern, RE2::Quiet);
    if (!expression->ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(compiled.field_, ": got \"", pattern,
                       "\", want an RE2 regular expression: ", expression->error()));
    }
    compiled.patterns_.push_back({std::move(expression)});
  }
  return compiled;
}

bool NamePatterns::Matches(std::string_view name) {
  bool matches = false;
  for (Pattern& pattern : patterns_) {
    if (!RE2::FullMatch(re2::StringPiece(name.data(), name.size()), *pattern.expression)) continue;
    pattern.matched = matches = true;
  }
  return matches;
}

absl::Status NamePatterns::CheckAllMatched(std::string_view what,
                                           std::span<const std::string> names) const {
  for (const Pattern& pattern : patterns_) {
    if (pattern.matched) continue;
    return absl::InvalidArgumentError(absl::StrCat(field_, ": \"", pattern.expression->pattern(),
                                                   "\" matches no ", std::string(what),
                                                   "; there are: ", ListOfNames(names)));
  }
  return absl::OkStatus();
}

std::string ListOfNames(std::span<const std::string> names) {
  constexpr size_t kMost = 20;
  if (names.empty()) return "none";
  const size_t shown = std::min(names.size(), kMost);
  std::string list =
      absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", ");
  if (shown < names.size()) absl::StrAppend(&list, " and ", names.size() - shown, " more");
  return list;
}

}  // namespace convoy
