#include "common/mode.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"
#include "common/job/suggest.h"
#include "common/status.h"

namespace convoy {
namespace {

// What a mode may have behind its name.
struct Grammar {
  const char* name;
  Mode::Kind kind;
  const char* number;      // what the number after ':' is; null: there is none
  uint32_t least;          // the smallest such number
  uint32_t Mode::*member;  // where it goes
  const char* option;      // the option after ','; null: there is none
};

constexpr Grammar kGrammar[] = {
    {"sync", Mode::Kind::kSync, nullptr, 0, nullptr, "backup"},
    {"async", Mode::Kind::kAsync, nullptr, 0, nullptr, "scale_by_staleness"},
    {"ssp", Mode::Kind::kSsp, "bound", 0, &Mode::bound, nullptr},
    {"local_sgd", Mode::Kind::kLocalSgd, "number of local steps", 1, &Mode::local_steps, nullptr},
    {"geo", Mode::Kind::kGeo, "number of local steps", 1, &Mode::local_steps, nullptr},
    {"single", Mode::Kind::kSingle, nullptr, 0, nullptr, nullptr},
};

std::string Modes() { return absl::StrCat("Modes: ", kModeNames); }

absl::Status Wrong(const std::string& whole, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("mode \"", whole, "\"", why));
}

absl::Status UnknownMode(const std::string& whole, const std::string& name) {
  std::vector<std::string> names;
  for (const Grammar& grammar : kGrammar) names.emplace_back(grammar.name);
  const std::string suggestion = DidYouMean(name, names);
  return absl::InvalidArgumentError(absl::StrCat("unknown mode \"", whole, "\"", suggestion,
                                                 suggestion.empty() ? ". " : " ", Modes()));
}

bool ParseNumber(const std::string& text, uint32_t least, uint32_t* number) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text, number) && *number >= least;
}

// `name` or `name:number`.
absl::Status ParseNumbered(const Grammar& grammar, const std::string& whole, std::string_view head,
                           Mode* mode) {
  const size_t colon = head.find(':');
  const std::string number(colon == head.npos ? "" : head.substr(colon + 1));
  if (grammar.number == nullptr) {
    if (colon == head.npos) return absl::OkStatus();
    return Wrong(whole, absl::StrCat(": ", grammar.name, " takes no bound. ", Modes()));
  }
  const std::string example =
      absl::StrCat(", e.g. ", grammar.name, grammar.least == 0 ? ":3" : ":16");
  if (number.empty()) return Wrong(whole, absl::StrCat(" needs a ", grammar.number, example));
  if (ParseNumber(number, grammar.least, &(mode->*grammar.member))) return absl::OkStatus();
  return Wrong(
      whole, absl::StrCat(": the ", grammar.number, " must be a whole number from ", grammar.least,
                          " to 4294967295, got \"", Shown(number), "\"", example));
}

// `backup=B` or `scale_by_staleness`.
absl::Status ParseOption(const Grammar& grammar, const std::string& whole,
                         const std::string& option, Mode* mode) {
  if (grammar.kind == Mode::Kind::kAsync && option == "scale_by_staleness") {
    mode->scale_by_staleness = true;
    return absl::OkStatus();
  }
  const size_t equals = std::min(option.find('='), option.size());
  if (grammar.kind == Mode::Kind::kSync && option.substr(0, equals) == "backup") {
    const std::string number = option.substr(std::min(equals + 1, option.size()));
    if (ParseNumber(number, 1, &mode->backup)) return absl::OkStatus();
    return Wrong(whole, absl::StrCat(": backup must be a whole number from 1 to 4294967295, got \"",
                                     Shown(number), "\", e.g. sync,backup=1"));
  }
  if (grammar.option == nullptr)
    return Wrong(whole, absl::StrCat(": ", grammar.name, " has no options. ", Modes()));
  return Wrong(whole, absl::StrCat(": unknown option \"", Shown(option), "\" of ", grammar.name,
                                   ", there is ", grammar.option));
}

}  // namespace

absl::StatusOr<Mode> ParseMode(std::string_view text) {
  const size_t comma = text.find(',');
  const std::string_view head = text.substr(0, comma);
  const std::string name(head.substr(0, head.find(':')));
  const std::string whole = Shown(text);
  const auto grammar = std::find_if(std::begin(kGrammar), std::end(kGrammar),
                                    [&](const Grammar& g) { return name == g.name; });
  if (grammar == std::end(kGrammar)) return UnknownMode(whole, name);
  Mode mode;
  mode.kind = grammar->kind;
  CONVOY_RETURN_IF_ERROR(ParseNumbered(*grammar, whole, head, &mode));
  if (comma == text.npos) return mode;
  CONVOY_RETURN_IF_ERROR(ParseOption(*grammar, whole, std::string(text.substr(comma + 1)), &mode));
  return mode;
}

std::string ToString(const Mode& mode) {
  switch (mode.kind) {
    case Mode::Kind::kSync:
      return mode.backup == 0 ? "sync" : absl::StrCat("sync,backup=", mode.backup);
    case Mode::Kind::kAsync:
      return mode.scale_by_staleness ? "async,scale_by_staleness" : "async";
    case Mode::Kind::kSsp:
      return absl::StrCat("ssp:", mode.bound);
    case Mode::Kind::kLocalSgd:
      return absl::StrCat("local_sgd:", mode.local_steps);
    case Mode::Kind::kGeo:
      return absl::StrCat("geo:", mode.local_steps);
    case Mode::Kind::kSingle:
      return "single";
  }
  return "";
}

}  // namespace convoy
