// The command line as a set of commands, each of which adds itself: its options, its help and what
// it does.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMMAND_SET_H_
#define CONVOY_LAUNCHER_COMMANDS_COMMAND_SET_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "launcher/commands/job_options.h"
#include "worker/models/model.h"

namespace convoy {

struct CommandSet {
  CLI::App& app;
  std::string program;                        // as the user called it
  std::span<const ModelRegistration> models;  // of this program; outlive the command line
  // The command that was chosen; returns the exit code. Set by parsing.
  std::function<int()> run;

  // Adds a command. Its options are bound to members of `options`, which lives as long as the
  // command; `action` runs it.
  template <typename Options>
  CLI::App* Add(const char* name, const char* help, std::shared_ptr<Options> options,
                std::function<int(const Options&)> action) {
    return AddTo(app, name, help, std::move(options), std::move(action));
  }
  // The same as a command of `group`, a command that is nothing by itself.
  template <typename Options>
  CLI::App* AddTo(CLI::App& group, const char* name, const char* help,
                  std::shared_ptr<Options> options, std::function<int(const Options&)> action) {
    CLI::App* command = group.add_subcommand(name, help);
    command->callback([this, options = std::move(options), action = std::move(action)] {
      run = [options, action] { return action(*options); };
    });
    return command;
  }
};

// JOB and the flags that change it; --mode only if `mode`.
void AddJobOptions(CLI::App* command, JobOptions* job, bool mode = true);
// --insecure-listen.
void AddInsecureListen(CLI::App* command, bool* flag);

// "convoy 0.1.0, build ..., x86-64-v3".
std::string VersionLine();

// One for each command, in the file of its name.
void AddInitCommand(CommandSet& commands);
void AddTrainCommand(CommandSet& commands);
void AddCompareCommand(CommandSet& commands);
void AddReportCommand(CommandSet& commands);
void AddStatusCommand(CommandSet& commands);
void AddCheckCommand(CommandSet& commands);
void AddExplainCommand(CommandSet& commands);
void AddEvaluateAndPredictCommands(CommandSet& commands);
void AddCheckpointCommand(CommandSet& commands);
void AddControlCommand(CommandSet& commands);
void AddCoordinatorCommand(CommandSet& commands);
void AddServerAndWorkerCommands(CommandSet& commands);
void AddNewCommand(CommandSet& commands);
void AddHelpAndVersionCommands(CommandSet& commands);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMMAND_SET_H_
