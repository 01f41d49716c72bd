// `convoy check`: what a training would use, without training.
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/init_plan.h"
#include "common/checkpoint/init_report.h"
#include "common/checkpoint/init_source.h"
#include "common/cluster_size.h"
#include "common/optimizers/frozen.h"
#include "common/rule_matches.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/custom_model_program.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/job_overview.h"
#include "launcher/process/admission.h"
#include "worker/check_gradients.h"
#include "worker/layers/eigen.h"
#include "worker/setup.h"

namespace convoy {
namespace {

struct CheckOptions {
  JobOptions job;
  bool gradients = false;
};

// Reading a large file takes a while: say so, apart from the result.
void ShowActivity(const std::string& activity) {
  if (activity.starts_with("reading")) std::fprintf(stderr, "%s\n", activity.c_str());
}

// Refuses what a training would refuse.
absl::StatusOr<std::string> Overview(const v1::Job& job, const TrainingSetup& setup) {
  const Model& model = setup.model();
  CONVOY_RETURN_IF_ERROR(CheckRuleMatches(job, model.variables(), model.tables()));
  JobOverview overview{job, setup, {}, std::nullopt, UsableCores()};
  CONVOY_ASSIGN_OR_RETURN(overview.memory,
                          EstimateMemory(job, setup.model().variables(), setup.summary));
  const ClusterSize size = ClusterSizeOf(job);
  if (absl::StatusOr<MachineMemory> machine = ReadMachineMemory(); machine.ok()) {
    overview.machine = *machine;
    const absl::Status fits = CheckFits(overview.memory, size.servers, size.workers, *machine);
    if (job.cluster().memory_check()) CONVOY_RETURN_IF_ERROR(fits);
  }
  CONVOY_ASSIGN_OR_RETURN(std::string text, RenderJobOverview(overview));
  CONVOY_ASSIGN_OR_RETURN(const FrozenParts frozen,
                          FindFrozen(job.optimizer(), model.variables(), model.tables()));
  if (frozen.all()) absl::StrAppend(&text, "\nnote: ", kNothingLearns, "\n");
  if (!job.has_init()) return text;
  CONVOY_RETURN_IF_ERROR(Annotate(CheckInitSource(job.init().from()), "init.from"));
  CONVOY_ASSIGN_OR_RETURN(const v1::InitPlan plan,
                          PlanInitOf(job, model.variables(), model.tables()));
  return absl::StrCat(text, "\n", absl::StrJoin(InitReport(plan), "\n"), "\n");
}

absl::Status Check(const v1::Job& job, std::span<const ModelRegistration> models) {
  CONVOY_ASSIGN_OR_RETURN(const TrainingSetup setup, PrepareTraining(job, models, ShowActivity));
  CONVOY_ASSIGN_OR_RETURN(const std::string overview, Overview(job, setup));
  std::fputs(overview.c_str(), stdout);
  return absl::OkStatus();
}

int RunCheck(const CheckOptions& options, std::span<const ModelRegistration> models) {
  ConfigureEigen();
  const absl::StatusOr<v1::Job> job = LoadResolvedJob(options.job);
  if (!job.ok()) return Fail(job.status(), kExitBadUsage);
  if (absl::Status status = CheckModelIsHere(job->model(), models, "", ""); !status.ok()) {
    return Fail(status, kExitBadUsage);
  }
  if (absl::Status status = Check(*job, models); !status.ok()) return Fail(status, kExitBadUsage);
  if (!options.gradients) return kExitDone;
  const absl::StatusOr<std::string> gradients = CheckGradients(*job, models);
  if (!gradients.ok()) return Fail(gradients.status());
  std::printf("\n%s", gradients->c_str());
  return kExitDone;
}

}  // namespace

void AddCheckCommand(CommandSet& commands) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = commands.Add<CheckOptions>(
      "check", "Check a job, its data and its model, without training", options,
      [models = commands.models](const CheckOptions& chosen) { return RunCheck(chosen, models); });
  AddJobOptions(command, &options->job);
  command->add_flag("--gradients", options->gradients,
                    "Also compare the model's gradients with finite differences on some examples");
}

}  // namespace convoy
