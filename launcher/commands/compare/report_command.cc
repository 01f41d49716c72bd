// `convoy report`: the page of `convoy compare` for runs that are there.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/exit_code.h"
#include "launcher/report/comparison_table.h"
#include "launcher/report/write_report.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::vector<std::string> folders;
  std::string target;
  std::string out = "report";
};

// A run directory stands for itself, the folder of a comparison for its runs.
std::vector<std::string> RunsIn(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder + "/job.textproto", error)) return {folder};
  std::vector<std::string> runs;
  for (fs::directory_iterator entry(folder + "/runs", error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code none;
    if (fs::exists(entry->path() / "job.textproto", none)) runs.push_back(entry->path().string());
  }
  std::ranges::sort(runs);
  return runs.empty() ? std::vector<std::string>{folder} : runs;
}

absl::StatusOr<Comparison> ReadAll(const ReportOptions& options) {
  std::optional<Target> target;
  if (!options.target.empty()) {
    CONVOY_ASSIGN_OR_RETURN(target, ParseTarget(options.target));
  }
  std::vector<RunRecord> runs;
  for (const std::string& folder : options.folders) {
    for (const std::string& directory : RunsIn(folder)) {
      CONVOY_ASSIGN_OR_RETURN(RunRecord run, ReadRun(directory));
      if (target) CONVOY_RETURN_IF_ERROR(Annotate(CheckTarget(*target, run), directory));
      runs.push_back(std::move(run));
    }
  }
  return CompareRuns(std::move(runs), target);
}

int RunReportCommand(const ReportOptions& options) {
  const absl::StatusOr<Comparison> all = ReadAll(options);
  if (!all.ok()) return Fail(all.status(), kExitBadUsage);
  const Verdict verdict = VerdictOf(*all);
  if (absl::Status status = WriteReport(options.out, *all, verdict); !status.ok())
    return Fail(status);
  std::printf("%s\nthe page: %s/report.html\n", RenderComparison(*all, verdict).c_str(),
              options.out.c_str());
  return kExitDone;
}

}  // namespace

void AddReportCommand(CommandSet& commands) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = commands.Add<ReportOptions>(
      "report", "A page about runs that are there, side by side", options, RunReportCommand);
  command
      ->add_option("RUN_DIR", options->folders, "Run directories, or folders of `convoy compare`")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("--target", options->target, "What was to be reached: validation/accuracy=0.87")
      ->type_name("SPLIT/METRIC=VALUE");
  command->add_option("--out", options->out, "Folder of the report")
      ->type_name("DIR")
      ->capture_default_str();
}

}  // namespace convoy
