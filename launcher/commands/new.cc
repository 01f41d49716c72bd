// `convoy new`: a project with a model of one's own.
#include <cstdio>
#include <memory>

#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/new_project.h"

namespace convoy {
namespace {

struct NewOptions {
  std::string folder;
};

int RunNew(const NewOptions& options) {
  const absl::StatusOr<std::vector<std::string>> files = WriteNewProject(options.folder);
  if (!files.ok()) return Fail(files.status(), kExitBadUsage);
  std::printf("wrote %s:\n", options.folder.c_str());
  for (const std::string& file : *files) std::printf("  %s\n", file.c_str());
  std::printf("Next: read %s/README.md\n", options.folder.c_str());
  return kExitDone;
}

}  // namespace

void AddNewCommand(CommandSet& commands) {
  auto options = std::make_shared<NewOptions>();
  CLI::App* command =
      commands.Add<NewOptions>("new", "Write a project with a model of your own", options, &RunNew);
  command->add_option("NAME", options->folder, "Folder of the project, and its name")->required();
}

}  // namespace convoy
