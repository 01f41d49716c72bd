#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "common/allocator.h"
#include "common/build_info.h"
#include "common/net/grpc_process.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/crash_report.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/usage_error.h"
#include "launcher/main.h"

namespace convoy {

int Main(int argc, char** argv, std::vector<ModelRegistration> models) {
  InstallCrashReport(argv[0]);
  ConfigureAllocator();
  ConfigureGrpc();
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // what goes wrong is said by us, once
  if (absl::Status status = CheckProcessor(); !status.ok()) return Fail(status);

  CLI::App app(
      "Convoy trains a model on many processes: servers hold the weights, workers compute "
      "gradients.",
      "convoy");
  app.require_subcommand(1);
  app.footer("\nconvoy help COMMAND explains a command, convoy explain the job file.");
  app.set_help_all_flag("--help-all", "Help of all commands");
  app.set_version_flag("--version", VersionLine(), "Version, build and instruction set");
  CommandSet commands{app, argv[0], models, {}};
  AddInitCommand(commands);
  AddTrainCommand(commands);
  AddCompareCommand(commands);
  AddReportCommand(commands);
  AddStatusCommand(commands);
  AddCheckCommand(commands);
  AddExplainCommand(commands);
  AddEvaluateAndPredictCommands(commands);
  AddCheckpointCommand(commands);
  AddControlCommand(commands);
  AddCoordinatorCommand(commands);
  AddServerAndWorkerCommands(commands);
  AddNewCommand(commands);
  AddHelpAndVersionCommands(commands);
  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return kExitBadUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s\n", UsageErrorText(app, argv[1], error).c_str());
    return kExitBadUsage;
  }
  return commands.run();
}

}  // namespace convoy
