// `convoy explain`: the words of the job file's schema.
#include "common/job/explain.h"

#include <cstdio>
#include <memory>
#include <string>

#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"

namespace convoy {
namespace {

struct ExplainOptions {
  std::string path;
  bool markdown = false;
};

int RunExplain(const ExplainOptions& options) {
  const JobSchema schema;
  const absl::StatusOr<std::string> text =
      options.markdown ? JobReferenceMarkdown(schema) : Explain(schema, options.path);
  if (!text.ok()) return Fail(text.status(), kExitBadUsage);
  std::fputs(text->c_str(), stdout);
  return kExitDone;
}

}  // namespace

void AddExplainCommand(CommandSet& commands) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = commands.Add<ExplainOptions>("explain", "Explain a field of the job file",
                                                   options, RunExplain);
  command->add_option("PATH", options->path,
                      "The field or group, e.g. optimizer.adam; default: all of them");
  command->add_flag("--markdown", options->markdown,
                    "All fields as a page (docs/job_reference.md)");
}

}  // namespace convoy
