// `convoy init`: looks at a data file and writes a job that trains on it.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/data_survey.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/job_draft.h"

namespace convoy {
namespace {

struct InitOptions {
  std::string data;
  std::string label;  // CSV and TSV
};

int RunInitCommand(const InitOptions& options) {
  const absl::StatusOr<DataSurvey> survey = SurveyData(options.data, options.label);
  if (!survey.ok()) return Fail(survey.status(), kExitBadUsage);
  const std::string job = DraftJob(*survey);
  if (std::fputs(job.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    return Fail(absl::InternalError("cannot write to standard output"));
  }
  return kExitDone;
}

}  // namespace

void AddInitCommand(CommandSet& commands) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* command = commands.Add<InitOptions>(
      "init", "Look at a data file and write a job for it to standard output", options,
      &RunInitCommand);
  command
      ->add_option("DATA", options->data, "CSV, TSV, libsvm or IDX file of examples; gzip or not")
      ->required();
  command->add_option("--label", options->label, "CSV and TSV: the column to learn")
      ->type_name("NAME");
}

}  // namespace convoy
