#include "common/mode.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"
#include "common/job/suggest.h"

namespace convoy {
namespace {

constexpr char kModes[] = "Modes: sync, async, ssp:S";

const std::vector<std::string>& ModeNames() {
  static const auto& names = *new std::vector<std::string>{"sync", "async", "ssp"};
  return names;
}

absl::StatusOr<Mode> ParseSsp(const std::string& text, bool has_bound, const std::string& bound) {
  if (!has_bound || bound.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("mode \"", text, "\" needs a bound, e.g. ssp:3"));
  }
  Mode mode = {Mode::Kind::kSsp, 0};
  if (std::all_of(bound.begin(), bound.end(), absl::ascii_isdigit) &&
      absl::SimpleAtoi(bound, &mode.bound)) {
    return mode;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "mode \"", text, "\": the bound must be a whole number from 0 to 4294967295, got \"",
      Shown(bound), "\", e.g. ssp:3"));
}

absl::Status UnknownMode(const std::string& text, const std::string& name) {
  const std::string suggestion = DidYouMean(name, ModeNames());
  return absl::InvalidArgumentError(absl::StrCat("unknown mode \"", text, "\"", suggestion,
                                                 suggestion.empty() ? ". " : " ", kModes));
}

}  // namespace

absl::StatusOr<Mode> ParseMode(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const bool has_bound = colon < text.size();
  const std::string name(text.substr(0, colon));
  const std::string bound(has_bound ? text.substr(colon + 1) : "");
  const std::string whole = Shown(text);
  if (name == "ssp") return ParseSsp(whole, has_bound, bound);
  if (name != "sync" && name != "async") return UnknownMode(whole, name);
  if (has_bound) {
    return absl::InvalidArgumentError(
        absl::StrCat("mode \"", whole, "\": ", name, " takes no bound. ", kModes));
  }
  return Mode{name == "sync" ? Mode::Kind::kSync : Mode::Kind::kAsync, 0};
}

std::string ToString(const Mode& mode) {
  switch (mode.kind) {
    case Mode::Kind::kSync:
      return "sync";
    case Mode::Kind::kAsync:
      return "async";
    case Mode::Kind::kSsp:
      return absl::StrCat("ssp:", mode.bound);
  }
  return "";
}

}  // namespace convoy
