// What people are told who mistype the command line.
#ifndef CONVOY_LAUNCHER_COMMANDS_USAGE_ERROR_H_
#define CONVOY_LAUNCHER_COMMANDS_USAGE_ERROR_H_

#include <CLI/CLI.hpp>
#include <string>

namespace convoy {

// `there is no command "trai", did you mean "train"?`, or all commands if none is similar; an empty
// name: that one is missing. `app`: the program, or a command that has commands.
std::string UnknownCommandText(const CLI::App& app, const std::string& name);

// Two lines without the last new line: which command complains of what, with what was probably
// meant, and where to read on. `app` has just thrown `error`; `first` is the first argument.
std::string UsageErrorText(const CLI::App& app, const std::string& first,
                           const CLI::ParseError& error);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_USAGE_ERROR_H_
