#include "launcher/commands/run_results.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "launcher/commands/exit_code.h"
#include "launcher/process/advice.h"
#include "launcher/process/results_table.h"

namespace convoy {

int ShowRunResults(const PreparedRun& prepared, const std::string& summary,
                   const std::vector<std::string>& did_not_happen) {
  const absl::StatusOr<std::string> table = RenderResults(summary);
  if (!table.ok()) return Fail(table.status());
  for (const std::string& fault : did_not_happen) {
    std::printf("note: rehearsal: %s: did not happen, the job ended before\n", fault.c_str());
  }
  const v1::Data& named = prepared.job.data();
  const std::string data =
      named.validation().has_path() ? named.validation().path() : named.test().path();
  std::printf("\n%s\n%s", table->c_str(),
              RenderNextCommands(NextCommandsAfterTraining(prepared.program, prepared.job_path,
                                                           prepared.directory->path(),
                                                           prepared.job.training().mode(), data))
                  .c_str());
  const std::string advice = SingleProcessAdvice(
      summary, absl::StrCat(ShellWord(prepared.program), " train ", ShellWord(prepared.job_path)));
  if (!advice.empty()) std::printf("\n%s", advice.c_str());
  std::fflush(stdout);
  return WasStopped(summary) ? kExitStopped : kExitDone;
}

}  // namespace convoy
