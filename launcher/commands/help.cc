// `convoy help` and `convoy version`.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/build_info.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/usage_error.h"

namespace convoy {
namespace {

struct HelpOptions {
  std::vector<std::string> topic;  // a command, and a command in it
};

int Help(CLI::App& app, const std::vector<std::string>& topic) {
  app.clear();  // else the help of `help` itself is shown
  const CLI::App* command = &app;
  std::string name, parents;
  for (const std::string& word : topic) {
    const auto known =
        command->get_subcommands([&](const CLI::App* c) { return c->get_name() == word; });
    if (known.empty()) {
      std::fprintf(stderr, "convoy: %s\nTry: convoy help%s\n",
                   UnknownCommandText(*command, word).c_str(), name.c_str());
      return kExitBadUsage;
    }
    parents = "convoy" + name;  // a command's own name is shown after what is given to its help()
    absl::StrAppend(&name, " ", word);
    command = known[0];
  }
  std::fputs(command == &app ? app.help().c_str() : command->help(parents).c_str(), stdout);
  return kExitDone;
}

}  // namespace

std::string VersionLine() {
  return absl::StrCat("convoy ", Version(), ", build ", BuildId(), ", ", InstructionSet());
}

void AddHelpAndVersionCommands(CommandSet& commands) {
  auto options = std::make_shared<HelpOptions>();
  CLI::App* help = commands.Add<HelpOptions>(
      "help", "Explain a command", options, [&commands](const HelpOptions& chosen) {
        return Help(commands.app,
                    std::vector<std::string>(chosen.topic));  // a copy: clear() empties the options
      });
  help->add_option("COMMAND", options->topic, "The command, and the command in it");
  commands.Add<HelpOptions>("version", "Version, build and instruction set", options,
                            [](const HelpOptions&) {
                              std::printf("%s\n", VersionLine().c_str());
                              return kExitDone;
                            });
}

}  // namespace convoy
