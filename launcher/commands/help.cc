// `convoy help` and `convoy version`.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/build_info.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/usage_error.h"

namespace convoy {
namespace {

struct HelpOptions {
  std::string topic;
};

int Help(CLI::App& app, const std::string& topic) {
  app.clear();   // else the help of `help` itself is shown
  std::string text = app.help();
  if (!topic.empty()) {
    const auto known = app.get_subcommands([&](const CLI::App* command) { return command->get_name() == topic; });
    if (known.empty()) {
      std::fprintf(stderr, "convoy: %s\nTry: convoy help\n", UnknownCommandText(app, topic).c_str());
      return kExitBadUsage;
    }
    text = known[0]->help("convoy");
  }
  std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace

std::string VersionLine() {
  return absl::StrCat("convoy ", Version(), ", build ", BuildId(), ", ", InstructionSet());
}

void AddHelpAndVersionCommands(CommandSet& commands) {
  auto options = std::make_shared<HelpOptions>();
  CLI::App* help = commands.Add<HelpOptions>("help", "Explain a command", options, [&commands](const HelpOptions& chosen) {
    return Help(commands.app, std::string(chosen.topic));   // a copy: clear() empties the options
  });
  help->add_option("COMMAND", options->topic, "The command");
  commands.Add<HelpOptions>("version", "Version, build and instruction set", options, [](const HelpOptions&) {
    std::printf("%s\n", VersionLine().c_str());
    return kExitDone;
  });
}

}  // namespace convoy
