// `convoy status`: what a run does now, or how it ended.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/process/signals.h"
#include "launcher/watch/full_screen.h"
#include "launcher/watch/run_watcher.h"
#include "launcher/watch/view_text.h"

namespace convoy {
namespace {

constexpr absl::Duration kRedraw = absl::Seconds(1);

struct StatusOptions {
  std::string directory;
  bool watch = false;
};

bool WantsColor() {
  const char* const no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}

int WatchRun(RunWatcher& watcher) {
  const absl::StatusOr<std::unique_ptr<FullScreen>> screen = FullScreen::Take();
  if (!screen.ok()) return Fail(screen.status(), kExitBadUsage);
  FullScreen::Input input = FullScreen::Input::kNothing;
  absl::StatusOr<RunView> view = RunView();
  absl::Time next = absl::InfinitePast();
  while (input != FullScreen::Input::kLeave) {
    // A new size shows at once what is known.
    if (SteadyNow() >= next) {
      next = SteadyNow() + kRedraw;
      view = watcher.Look();
    }
    const FullScreen::Size size = (*screen)->size();
    ViewTextOptions options;
    options.width = size.width;
    options.height = size.height - 1;
    options.color = WantsColor();
    std::vector<std::string> lines = view.ok()
                                         ? RenderView(*view, options)
                                         : std::vector<std::string>{ScreenText(
                                               std::string(view.status().message()),
                                               static_cast<size_t>(std::max(1, size.width - 1)))};
    lines.resize(static_cast<size_t>(std::max(0, size.height - 1)));
    lines.push_back(
        ScreenText("q leaves; the job goes on", static_cast<size_t>(std::max(1, size.width - 1))));
    (*screen)->Draw(lines);
    input = (*screen)->Wait(std::max(absl::ZeroDuration(), next - SteadyNow()));
  }
  return (*screen)->signal() == 0 ? kExitDone : ExitCodeOfSignal((*screen)->signal());
}

int RunStatusCommand(const StatusOptions& options) {
  const absl::StatusOr<std::unique_ptr<RunWatcher>> watcher = RunWatcher::Open(options.directory);
  if (!watcher.ok()) return Fail(watcher.status(), kExitBadUsage);
  if (options.watch) return WatchRun(**watcher);
  const absl::StatusOr<RunView> view = (*watcher)->Look();
  if (!view.ok()) return Fail(view.status());
  for (const std::string& line : RenderView(*view, {})) std::printf("%s\n", line.c_str());
  return kExitDone;
}

}  // namespace

void AddStatusCommand(CommandSet& commands) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = commands.Add<StatusOptions>("status", "What a run does now, or how it ended",
                                                  options, RunStatusCommand);
  command->add_option("RUN_DIR", options->directory, "The run directory")
      ->type_name("DIR")
      ->required();
  command->add_flag("--watch", options->watch,
                    "Stay on the screen and look again every second; q leaves");
}

}  // namespace convoy
