#include "launcher/commands/usage_error.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/field_text.h"
#include "common/job/suggest.h"

namespace convoy {
namespace {

using Names = std::vector<std::string>;

Names CommandNames(const CLI::App& app) {
  Names names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// Those that help shows.
Names FlagNames(const CLI::App& command) {
  Names names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string UnknownArgument(const CLI::App& command, const std::string& argument) {
  if (!argument.starts_with('-')) {
    return absl::StrCat("unexpected argument \"", Shown(argument), "\"");
  }
  const std::string flag = argument.substr(0, argument.find('='));
  return absl::StrCat("there is no flag \"", Shown(flag), "\"",
                      DidYouMean(flag, FlagNames(command)));
}

// CLI11's own words, where they are good enough.
std::string Other(const CLI::ParseError& error) {
  std::string what = error.what();
  constexpr std::string_view kRequired = " is required";
  if (what.ends_with(kRequired)) {
    return absl::StrCat(what.substr(0, what.size() - kRequired.size()), " is missing");
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && what.ends_with(" missing")) {
    return absl::StrCat(what.substr(0, what.find(':')), " needs a value");
  }
  return what;
}

// Of all that the parser did not take; a flag explains the arguments after it.
// `chosen`: the program, its command, the command in that, ...
std::string FirstUnknown(const std::vector<const CLI::App*>& chosen) {
  std::vector<std::string> unknown;
  for (auto command = chosen.rbegin(); unknown.empty() && command != chosen.rend(); ++command) {
    unknown = (*command)->remaining();
  }
  for (const std::string& argument : unknown) {
    if (argument.starts_with('-')) return argument;
  }
  return unknown.empty() ? "" : unknown.front();
}

}  // namespace

std::string UnknownCommandText(const CLI::App& app, const std::string& name) {
  const Names names = CommandNames(app);
  if (name.empty())
    return absl::StrCat("a command is missing; commands: ", absl::StrJoin(names, ", "));
  const std::string suggestion = DidYouMean(name, names);
  return absl::StrCat(
      "there is no command \"", Shown(name), "\"",
      suggestion.empty() ? absl::StrCat("; commands: ", absl::StrJoin(names, ", ")) : suggestion);
}

std::string UsageErrorText(const CLI::App& app, const std::string& first,
                           const CLI::ParseError& error) {
  std::vector<const CLI::App*> chosen = {&app};  // a command, the command in it, ...
  std::string name;
  while (!chosen.back()->get_subcommands().empty()) {
    chosen.push_back(chosen.back()->get_subcommands().front());
    absl::StrAppend(&name, " ", chosen.back()->get_name());
  }
  const CLI::App& command = *chosen.back();
  const std::string unknown = chosen.size() == 1 ? first : FirstUnknown(chosen);
  if (!CommandNames(command).empty() && !unknown.starts_with('-')) {
    return absl::StrCat("convoy", name, ": ", UnknownCommandText(command, unknown),
                        "\nTry: convoy help", name);
  }
  const bool is_unknown =
      unknown.starts_with('-') || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  return absl::StrCat("convoy", name, ": ",
                      is_unknown ? UnknownArgument(command, unknown) : Other(error),
                      "\nTry: convoy help", name);
}

}  // namespace convoy
