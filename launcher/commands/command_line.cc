#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "common/allocator.h"
#include "common/build_info.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/main.h"

namespace convoy {

int Main(int argc, char** argv, std::vector<ModelRegistration> models) {
  ConfigureAllocator();
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);   // what goes wrong is said by us, once
  if (absl::Status status = CheckProcessor(); !status.ok()) return Fail(status);

  CLI::App app("Convoy trains a model on many processes: servers hold the weights, workers compute gradients.", "convoy");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all commands");
  CommandSet commands{app, argv[0], models, {}};
  AddInitCommand(commands);
  AddTrainCommand(commands);
  AddEvaluateAndPredictCommands(commands);
  AddCoordinatorCommand(commands);
  AddServerAndWorkerCommands(commands);
  AddHelpAndVersionCommands(commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "convoy: %s\nTry: convoy help\n", error.what());
    return kExitBadUsage;
  }
  return commands.run();
}

}  // namespace convoy
