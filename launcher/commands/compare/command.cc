// `convoy compare`: the same job in several modes, and what follows from it.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/clock.h"
#include "common/mode.h"
#include "common/mutex.h"
#include "common/number_text.h"
#include "common/status.h"
#include "launcher/commands/command_set.h"
#include "launcher/commands/compare/compare_folder.h"
#include "launcher/commands/compare/compare_plan.h"
#include "launcher/commands/compare/run_child.h"
#include "launcher/commands/compare/run_estimate.h"
#include "launcher/commands/compare/run_progress.h"
#include "launcher/commands/exit_code.h"
#include "launcher/commands/role_environment.h"
#include "launcher/process/signals.h"
#include "launcher/process/text_table.h"
#include "launcher/report/comparison_table.h"
#include "launcher/report/report_text.h"
#include "launcher/report/write_report.h"

namespace convoy {
namespace {

class CompareRun {
 public:
  explicit CompareRun(ComparePlan plan) : plan_(std::move(plan)) {}

  int Run() {
    absl::StatusOr<std::unique_ptr<StopSignals>> signals =
        StopSignals::Start([this](int, StopUrgency urgency) { OnSignal(urgency); });
    if (!signals.ok()) return Fail(signals.status());
    absl::StatusOr<std::unique_ptr<RunChild>> child = RunChild::Start();
    if (!child.ok()) return Fail(child.status());
    {
      MutexLock lock(mutex_);
      child_ = *std::move(child);
    }
    if ((*signals)->first_signal() != 0) Child()->RequestStop();  // it came before
    const absl::StatusOr<int> code = Compare();
    Child()->Finish();
    const int signal = (*signals)->first_signal();
    signals->reset();  // no callback runs beyond this point
    if (signal != 0) {
      std::fprintf(stderr,
                   "\nconvoy: stopped; %zu of %zu runs are finished, and the same command goes on "
                   "with the others\n",
                   records_.size(), plan_.runs());
      return ExitCodeOfSignal(signal);
    }
    return code.ok() ? *code : Fail(code.status(), bad_usage_ ? kExitBadUsage : kExitFailed);
  }

 private:
  absl::StatusOr<int> Compare() {
    ShowPlan();
    CONVOY_RETURN_IF_ERROR(Estimate());
    for (size_t rate = 0; rate < plan_.rates().size(); ++rate) {
      for (size_t mode = 0; mode < plan_.modes().size(); ++mode) {
        CONVOY_RETURN_IF_ERROR(Train(plan_.FirstSeedRun(mode, rate)));
      }
    }
    const std::vector<double> best = BestRates();
    for (uint32_t seed = 1; seed < plan_.seeds(); ++seed) {
      for (size_t mode = 0; mode < plan_.modes().size(); ++mode) {
        CONVOY_RETURN_IF_ERROR(Train(plan_.LaterSeedRun(mode, best[mode], seed)));
      }
    }
    return Report();
  }

  void ShowPlan() const {
    const v1::Job& job = plan_.job();
    std::printf("compare \"%s\": %s, one after the other\n", job.name().c_str(),
                CountText(plan_.runs(), "run").c_str());
    std::printf("  modes     %s\n", absl::StrJoin(plan_.modes(), ", ").c_str());
    std::printf("  seeds     %s, which set initial weights and the order of the examples\n",
                SeedsText().c_str());
    if (swept()) {
      std::printf("  rates     %s, with the first seed; then each mode at its best\n",
                  absl::StrJoin(plan_.rates(), ", ", [](std::string* out, double rate) {
                    out->append(NumberText(rate));
                  }).c_str());
    }
    std::printf("  each      %s over the same data\n",
                CountText(job.training().epochs(), "epoch").c_str());
    for (const std::string& what : plan_.LeftOutOfSingle())
      std::printf("  rehearsal %s (not in single)\n", what.c_str());
    if (plan_.target()) std::printf("  target    %s\n", plan_.target()->Describe().c_str());
    std::printf("  results   %s\n", plan_.folder().c_str());
    std::fflush(stdout);
  }

  std::string SeedsText() const {
    const uint64_t first = plan_.job().seed();
    if (plan_.seeds() == 1) return absl::StrCat(first);
    return absl::StrCat(first, " to ", first + plan_.seeds() - 1);
  }

  bool swept() const { return plan_.rates().size() > 1; }

  // Those of which it is known before they begin: in a sweep the others' rates come from these.
  std::vector<PlannedRun> KnownRuns() const {
    std::vector<PlannedRun> runs;
    for (size_t rate = 0; rate < plan_.rates().size(); ++rate) {
      for (size_t mode = 0; mode < plan_.modes().size(); ++mode) {
        runs.push_back(plan_.FirstSeedRun(mode, rate));
      }
    }
    for (uint32_t seed = 1; seed < plan_.seeds() && !swept(); ++seed) {
      for (size_t mode = 0; mode < plan_.modes().size(); ++mode) {
        runs.push_back(plan_.LaterSeedRun(mode, plan_.rates()[0], seed));
      }
    }
    return runs;
  }

  absl::Status Estimate() {
    size_t finished = 0, with_servers = 0, others = 0;
    double seconds =
        0;  // of those with servers, which take longer than mode single or not much less
    const std::vector<PlannedRun> known = KnownRuns();
    for (const PlannedRun& planned : known) {
      if (planned.HasAnother()) ++others;
      const std::optional<RunRecord> run = planned.Finished();
      if (!run) continue;
      CONVOY_RETURN_IF_ERROR(CheckMeasured(*run));
      ++finished;
      if (ParseMode(run->mode())->single()) continue;
      ++with_servers;
      seconds += run->wall_seconds;
    }
    if (others > 0) {
      std::printf(
          "note: %s of another job or build in %s will be replaced; keep them with another --out\n",
          CountText(others, "run").c_str(), plan_.folder().c_str());
    }
    if (with_servers == 0) return EstimateByProbe();
    const size_t left = plan_.runs() - finished;
    const std::string others_text =
        left == 0 ? ""
                  : absl::StrCat("; about ",
                                 MinutesText(static_cast<double>(left) * seconds /
                                             static_cast<double>(with_servers)),
                                 " for the others");
    std::printf("%zu of %zu runs%s are there already%s\n\n", finished, known.size(),
                swept() ? " with the first seed" : "", others_text.c_str());
    return absl::OkStatus();
  }

  // Some steps of the first mode with servers: the others are hardly slower.
  absl::Status EstimateByProbe() {
    const PlannedRun probe = plan_.Probe();
    CONVOY_RETURN_IF_ERROR(probe.Prepare());
    const absl::Time begin = SteadyNow();
    CONVOY_ASSIGN_OR_RETURN(const std::string failure, Child()->Train(probe, [] {}));
    if (!failure.empty()) {
      return absl::AbortedError(absl::StrCat(
          "the job fails in mode ", probe.job().training().mode(),
          " within its first steps: ", failure, "\nconvoy: its log is ", probe.log_path()));
    }
    const RunRecord run = probe.Read("");
    CONVOY_RETURN_IF_ERROR(CheckMeasured(run));
    const RunEstimate estimate =
        EstimateRun(run, absl::ToDoubleSeconds(SteadyNow() - begin), plan_.job().training());
    if (estimate.seconds <= 0) return absl::OkStatus();
    std::printf("about %s in all: a short probe of %s trained %s examples/s\n\n",
                MinutesText(estimate.seconds * static_cast<double>(plan_.runs())).c_str(),
                probe.job().training().mode().c_str(),
                GroupedText(estimate.examples_per_second).c_str());
    std::fflush(stdout);
    return absl::OkStatus();
  }

  // What only a run can tell of the target.
  absl::Status CheckMeasured(const RunRecord& run) {
    if (!plan_.target()) return absl::OkStatus();
    const absl::Status status = CheckTarget(*plan_.target(), run);
    bad_usage_ = !status.ok();
    return status;
  }

  absl::Status Train(const PlannedRun& run) {
    const std::string title = absl::StrFormat(
        "[%d/%d] %s%s, seed %d", records_.size() + 1, plan_.runs(), run.job().training().mode(),
        swept() ? absl::StrCat(", rate ", NumberText(run.job().optimizer().learning_rate())) : "",
        run.job().seed());
    if (std::optional<RunRecord> finished = run.Finished()) {
      records_.push_back(*std::move(finished));
      Show(title, records_.back(), /*reused=*/true);
      return absl::OkStatus();
    }
    const absl::Time begin = SteadyNow();
    CONVOY_RETURN_IF_ERROR(run.Prepare());
    std::string failure;
    {
      RunProgress progress(title, run.directory() + "/events.jsonl", run.job().training().epochs());
      CONVOY_ASSIGN_OR_RETURN(failure, Child()->Train(run, [&progress] { progress.Look(); }));
    }
    ++trained_;
    trained_seconds_ += absl::ToDoubleSeconds(SteadyNow() - begin);
    records_.push_back(run.Read(failure));
    Show(title, records_.back(), /*reused=*/false);
    return absl::OkStatus();
  }

  void Show(const std::string& title, const RunRecord& run, bool reused) const {
    std::string text;
    if (!run.ended_well()) {
      text = absl::StrCat("FAILED: ", run.failure.substr(0, run.failure.find('\n')), "; see ",
                          run.directory, ".log");
    } else {
      text = SecondsText(run.wall_seconds);
      const Comparison by = CompareRuns({run}, plan_.target());
      if (const auto last = run.curve(by.split).Last(by.metric))
        absl::StrAppend(&text, ", ", by.split, " ", by.metric, " ", MetricText(*last));
      if (reused) text += ", was there already";
    }
    const size_t left = plan_.runs() - records_.size();
    if (trained_ > 0 && left > 0) {
      absl::StrAppend(
          &text, "; about ",
          MinutesText(trained_seconds_ / static_cast<double>(trained_) * static_cast<double>(left)),
          " left");
    }
    std::printf("%s: %s\n", title.c_str(), text.c_str());
    std::fflush(stdout);
  }

  // Of each mode, by the runs so far.
  std::vector<double> BestRates() const {
    const Comparison so_far = CompareRuns(records_, plan_.target());
    std::vector<double> best;
    for (const std::string& mode : plan_.modes()) {
      const ComparedMode* const judged = so_far.Find(mode);
      best.push_back(judged == nullptr ? plan_.rates()[0] : judged->learning_rate);
    }
    return best;
  }

  absl::StatusOr<int> Report() const {
    Comparison all = CompareRuns(records_, plan_.target());
    for (const std::string& what : plan_.LeftOutOfSingle()) {
      all.notes.push_back(absl::StrCat(
          "Mode single is one process and was not slowed on purpose: it is trained without \"",
          what, "\"."));
    }
    const Verdict verdict = VerdictOf(all);
    CONVOY_RETURN_IF_ERROR(WriteReport(plan_.folder(), all, verdict));
    std::printf("\n%s\nthe page: %s/report.html\n", RenderComparison(all, verdict).c_str(),
                plan_.folder().c_str());
    std::fflush(stdout);
    const bool failed =
        std::ranges::any_of(records_, [](const RunRecord& run) { return !run.ended_well(); });
    return failed ? kExitFailed : kExitDone;
  }

  void OnSignal(StopUrgency urgency) {
    const std::shared_ptr<RunChild> child = Child();
    if (child == nullptr) return;
    if (urgency == StopUrgency::kOrderly) child->RequestStop();
    if (urgency == StopUrgency::kImmediate) child->Kill();
  }

  std::shared_ptr<RunChild> Child() const {
    MutexLock lock(mutex_);
    return child_;
  }

  const ComparePlan plan_;
  std::vector<RunRecord> records_;  // in the order in which they were run
  size_t trained_ = 0;              // not reused
  double trained_seconds_ = 0;
  bool bad_usage_ = false;

  mutable Mutex mutex_;  // the thread of the signals looks too
  std::shared_ptr<RunChild> child_ CONVOY_GUARDED_BY(mutex_);
};

int RunCompareCommand(const CompareOptions& options) {
  ForgetRoleEnvironment();
  absl::StatusOr<ComparePlan> plan = ComparePlan::Make(options);
  if (!plan.ok()) return Fail(plan.status(), kExitBadUsage);
  const absl::StatusOr<OwnedFd> lock = OpenCompareFolder(plan->folder());
  if (!lock.ok()) return Fail(lock.status(), kExitBadUsage);
  return CompareRun(*std::move(plan)).Run();
}

}  // namespace

void AddCompareCommand(CommandSet& commands) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = commands.Add<CompareOptions>(
      "compare", "Train a job in several modes and say what each is good for", options,
      RunCompareCommand);
  AddJobOptions(command, &options->job, /*mode=*/false);
  command
      ->add_option("--mode", options->modes,
                   absl::StrCat("A mode to compare, once for each: ", kModeNames, "; default: ",
                                absl::StrJoin(kDefaultModes, " "), ". Mode single is always there"))
      ->type_name("MODE")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--seeds", options->seeds, "Runs of each mode, which differ in their seed")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--sweep", options->sweep,
                   "Learning rates to try; each mode is judged at its own best")
      ->type_name("learning_rate=RATE,...");
  command
      ->add_option("--target", options->target, "What is to be reached: validation/accuracy=0.87")
      ->type_name("SPLIT/METRIC=VALUE");
  command
      ->add_option("--out", options->out,
                   "Folder of the runs and the report; default: runs/<job>-compare")
      ->type_name("DIR");
}

}  // namespace convoy
