// What is shown when a training has ended.
#ifndef CONVOY_LAUNCHER_PROCESS_RESULTS_TABLE_H_
#define CONVOY_LAUNCHER_PROCESS_RESULTS_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace convoy {

// The text of summary.json (docs/run_directory.md) as aligned tables: the run, the metrics, the
// processes. What is missing in it is left out. InvalidArgument: it is not a JSON object.
absl::StatusOr<std::string> RenderResults(std::string_view summary_json);

// Whether a training ended well but before its planned end, because somebody asked.
bool WasStopped(std::string_view summary_json);

// `word` as a shell has to be given it: in quotes if there are other characters in it than letters,
// digits and _./:=,@+-.
std::string ShellWord(std::string_view word);

struct NextCommand {
  std::string command;
  // What it does, in a few words.
  std::string purpose;
};

// What to try after a training, to be pasted into a shell. `program`: as the user called it.
// `data`: data to measure on, empty if the job names none.
std::vector<NextCommand> NextCommandsAfterTraining(std::string_view program,
                                                   std::string_view job_path,
                                                   std::string_view run_dir, std::string_view mode,
                                                   std::string_view data);

// "Try next:", then each command with its purpose below it.
std::string RenderNextCommands(const std::vector<NextCommand>& commands);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_RESULTS_TABLE_H_
