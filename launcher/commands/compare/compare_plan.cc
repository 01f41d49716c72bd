#include "launcher/commands/compare/compare_plan.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/mode.h"
#include "common/number_text.h"
#include "common/rehearsal/rehearsal.h"
#include "common/status.h"
#include "launcher/commands/compare/sweep.h"
#include "launcher/commands/pinned_init.h"
#include "launcher/report/report_text.h"

namespace convoy {
namespace {

constexpr char kSingleMode[] = "single";
constexpr uint64_t kProbeSteps = 40, kProbeReport = 10;
constexpr uint32_t kMostSeeds = 1000;

// "ssp:3" -> "ssp-3".
std::string CompareFolderName(const std::string& text) {
  std::string name = text;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  }
  return name;
}

// Each mode once, mode single first.
absl::StatusOr<std::vector<std::string>> ModesOf(const CompareOptions& options) {
  std::vector<std::string> modes = {kSingleMode};
  std::vector<std::string> wanted = options.modes;
  if (wanted.empty()) wanted.assign(std::begin(kDefaultModes), std::end(kDefaultModes));
  for (const std::string& text : wanted) {
    const absl::StatusOr<Mode> mode = ParseMode(text);
    if (!mode.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("--mode: ", std::string(mode.status().message())));
    const std::string name = ToString(*mode);
    if (std::ranges::find(modes, name) == modes.end()) modes.push_back(name);
  }
  if (modes.size() == 1) {
    return absl::InvalidArgumentError(
        "--mode: mode single is always in the table; name at least one other to compare it with");
  }
  return modes;
}

JobOptions InMode(const JobOptions& options, const std::string& mode) {
  JobOptions job = options;
  job.fields["training.mode"] = mode;
  if (mode != kSingleMode) return job;
  // One process has neither a link nor a worker that others would have to wait for, or could go on
  // without.
  job.fields.erase("rehearsal.link");
  std::erase_if(job.lists, [](const auto& list) { return list.first.starts_with("rehearsal."); });
  std::erase_if(job.set, [](const std::string& set) { return set.starts_with("rehearsal"); });
  job.set.insert(job.set.end(), {"rehearsal.link=\"\"", "rehearsal.slow_worker=",
                                 "rehearsal.fault=", "cluster.on_worker_loss=RESTART"});
  return job;
}

absl::Status CheckComparable(const v1::Job& job) {
  if (job.training().has_early_stopping()) {
    return absl::InvalidArgumentError(
        "training.early_stopping: modes would not see equally many examples, so that a comparison "
        "would not "
        "be fair; leave it out, and name what is to be reached with --target");
  }
  if (job.training().max_steps() == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "training.max_steps: a step is not equally many examples in each mode, so that a comparison "
      "would not be fair; say "
      "how long to train with training.epochs (--epochs N)");
}

}  // namespace

absl::StatusOr<ComparePlan> ComparePlan::Make(const CompareOptions& options) {
  ComparePlan plan;
  CONVOY_ASSIGN_OR_RETURN(plan.modes_, ModesOf(options));
  CONVOY_ASSIGN_OR_RETURN(plan.rates_, ParseSweep(options.sweep));
  if (options.seeds < 1 || options.seeds > kMostSeeds) {
    return absl::InvalidArgumentError(
        absl::StrCat("--seeds must be from 1 to ", kMostSeeds, ", got ", options.seeds));
  }
  plan.seeds_ = options.seeds;
  if (!options.target.empty()) {
    CONVOY_ASSIGN_OR_RETURN(plan.target_, ParseTarget(options.target));
  }
  plan.jobs_.resize(plan.modes_.size());
  // Those with servers first: what they say of the rehearsal is about the job as it was written.
  for (size_t m = plan.modes_.size(); m-- > 0;) {
    CONVOY_ASSIGN_OR_RETURN(plan.jobs_[m], LoadResolvedJob(InMode(options.job, plan.modes_[m])));
    if (plan.modes_[m] == kSingleMode) plan.jobs_[m].clear_rehearsal();
    CONVOY_RETURN_IF_ERROR(CheckComparable(plan.jobs_[m]));
  }
  // All runs begin with the same weights.
  CONVOY_RETURN_IF_ERROR(PinInit(&plan.jobs_[0]));
  for (v1::Job& job : plan.jobs_) KeepPinnedInit(plan.jobs_[0], &job);
  if (plan.target_) CONVOY_RETURN_IF_ERROR(CheckTarget(*plan.target_, plan.job()));
  if (plan.rates_.empty()) plan.rates_ = {plan.job().optimizer().learning_rate()};
  plan.folder_ = options.out.empty()
                     ? absl::StrCat("runs/", CompareFolderName(plan.job().name()), "-compare")
                     : options.out;
  while (plan.folder_.size() > 1 && plan.folder_.back() == '/') plan.folder_.pop_back();
  return plan;
}

std::vector<std::string> ComparePlan::LeftOutOfSingle() const {
  const absl::StatusOr<RehearsalPlan> rehearsal = RehearsalOf(job().rehearsal());
  return rehearsal.ok() ? Describe(*rehearsal) : std::vector<std::string>();
}

PlannedRun ComparePlan::Run(size_t mode, double rate, uint32_t seed) const {
  v1::Job job = jobs_[mode];
  job.set_seed(job.seed() + seed);
  job.mutable_optimizer()->set_learning_rate(rate);
  const std::string swept = rates_.size() > 1 ? absl::StrCat("-rate", NumberText(rate)) : "";
  return PlannedRun(
      absl::StrCat(folder_, "/runs/", CompareFolderName(modes_[mode]), swept, "-seed", job.seed()),
      job);
}

PlannedRun ComparePlan::FirstSeedRun(size_t mode, size_t rate) const {
  return Run(mode, rates_[rate], 0);
}

PlannedRun ComparePlan::LaterSeedRun(size_t mode, double rate, uint32_t seed) const {
  return Run(mode, rate, seed);
}

PlannedRun ComparePlan::Probe() const {
  v1::Job probe = jobs_[1];
  const uint64_t batches_of_step = std::max<uint64_t>(1, ParseMode(modes_[1])->local_steps);
  probe.mutable_training()->set_max_steps(std::max(kProbeReport, kProbeSteps / batches_of_step));
  probe.mutable_training()->set_report_every_steps(kProbeReport);
  probe.mutable_checkpoint()->set_at_end(false);
  return PlannedRun(absl::StrCat(folder_, "/probe/", CompareFolderName(modes_[1])), probe);
}

}  // namespace convoy
