#include "common/checkpoint/map_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/name_patterns.h"

namespace convoy {
namespace {

absl::Status WrongMapRule(const std::string& rule, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "init.map: got \"", rule, "\", want OLD=NEW, as in \"old/(.*)=new/\\1\": ", what));
}

}  // namespace

MapRules::MapRules() = default;
MapRules::MapRules(MapRules&&) noexcept = default;
MapRules::~MapRules() = default;

absl::StatusOr<MapRules> MapRules::Compile(
    const google::protobuf::RepeatedPtrField<std::string>& rules) {
  MapRules compiled;
  for (const std::string& text : rules) {
    const size_t at = text.rfind('=');
    if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
      return WrongMapRule(text, "one side is missing");
    }
    Rule rule{text, std::make_unique<RE2>(text.substr(0, at), RE2::Quiet), text.substr(at + 1)};
    if (!rule.from->ok()) return WrongMapRule(text, rule.from->error());
    std::string error;
    if (!rule.from->CheckRewriteString(rule.to, &error)) return WrongMapRule(text, error);
    compiled.rules_.push_back(std::move(rule));
  }
  return compiled;
}

std::optional<std::string> MapRules::NewName(std::string_view name) {
  const re2::StringPiece text(name.data(), name.size());
  for (Rule& rule : rules_) {
    if (!RE2::FullMatch(text, *rule.from)) continue;
    rule.matched = true;
    const int groups = rule.from->NumberOfCapturingGroups();
    std::vector<re2::StringPiece> parts(static_cast<size_t>(groups) + 1);
    rule.from->Match(text, 0, text.size(), RE2::ANCHOR_BOTH, parts.data(), groups + 1);
    std::string renamed;
    rule.from->Rewrite(&renamed, rule.to, parts.data(), groups + 1);
    return renamed;
  }
  return std::nullopt;
}

absl::Status MapRules::CheckAllMatched(const std::vector<std::string>& names) const {
  for (const Rule& rule : rules_) {
    if (rule.matched) continue;
    const bool any = std::ranges::any_of(
        names, [&rule](const std::string& name) { return RE2::FullMatch(name, *rule.from); });
    if (any) {
      return absl::InvalidArgumentError(absl::StrCat(
          "init.map: \"", rule.from->pattern(),
          "\" matches only names in init.from that an earlier one of these rules takes: leave it "
          "out, or give it first"));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("init.map: \"", rule.from->pattern(),
                     "\" matches no name in init.from; there are: ", ListOfNames(names)));
  }
  return absl::OkStatus();
}

}  // namespace convoy
