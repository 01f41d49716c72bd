#include "launcher/report/comparison.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/cluster_size.h"
#include "common/mode.h"
#include "common/rehearsal/rehearsal.h"

namespace convoy {
namespace {

bool IsSingle(const RunRecord& run) {
  const absl::StatusOr<Mode> mode = ParseMode(run.mode());
  return mode.ok() && mode->single();
}

std::string ClusterText(const RunRecord& run) {
  const ClusterSize size = ClusterSizeOf(run.job);
  return absl::StrCat(size.servers, "x", size.workers);
}

std::string RehearsalText(const RunRecord& run) {
  const absl::StatusOr<RehearsalPlan> plan = RehearsalOf(run.job.rehearsal());
  if (!plan.ok() || !plan->any()) return "no rehearsal";
  std::vector<std::string> parts;
  for (const SlowWorkerRule& rule : plan->slow_workers) parts.push_back(ToString(rule));
  if (plan->link.any()) parts.push_back(run.job.rehearsal().link());
  return absl::StrJoin(parts, " ");
}

// The job without what an entry may differ in, or is named by.
std::string RestOfJob(const RunRecord& run) {
  v1::Job job = run.job;
  job.clear_name();
  job.clear_seed();
  job.clear_rehearsal();
  job.mutable_training()->clear_mode();
  job.mutable_training()->clear_epochs();
  job.mutable_training()->clear_slices();
  job.mutable_optimizer()->clear_learning_rate();
  job.mutable_data()->clear_cache_dir();
  job.clear_cluster();
  job.clear_checkpoint();
  return job.SerializeAsString();
}

// What besides mode and rate tells entries apart, where it is not the same for all.
class Names {
 public:
  explicit Names(const std::vector<RunRecord>& runs) {
    for (const RunRecord& run : runs) {
      jobs_.insert(run.job.name());
      epochs_.insert(run.job.training().epochs());
      if (IsSingle(run)) continue;
      clusters_.insert(ClusterText(run));
      rehearsals_.insert(RehearsalText(run));
    }
    for (const RunRecord& run : runs) {
      std::map<std::string, size_t>& rests = rests_[BaseOf(run)];
      rests.try_emplace(RestOfJob(run), rests.size() + 1);
    }
  }

  std::string Of(const RunRecord& run) const {
    const std::string base = BaseOf(run);
    const std::map<std::string, size_t>& rests = rests_.at(base);
    if (rests.size() == 1) return base;
    return absl::StrCat(base, " · job ", rests.at(RestOfJob(run)));
  }

  bool DifferInTheRest() const {
    return std::ranges::any_of(rests_, [](const auto& rests) { return rests.second.size() > 1; });
  }

 private:
  std::string BaseOf(const RunRecord& run) const {
    std::vector<std::string> parts;
    if (jobs_.size() > 1) parts.push_back(run.job.name());
    parts.push_back(run.mode());
    if (clusters_.size() > 1 && !IsSingle(run)) parts.push_back(ClusterText(run));
    if (rehearsals_.size() > 1 && !IsSingle(run)) parts.push_back(RehearsalText(run));
    if (epochs_.size() > 1) parts.push_back(absl::StrCat(run.job.training().epochs(), " epochs"));
    return absl::StrJoin(parts, " · ");
  }

  std::set<std::string> jobs_, clusters_, rehearsals_;
  std::set<uint32_t> epochs_;
  // Jobs of one name that differ in anything else, in the order in which they are given.
  std::map<std::string, std::map<std::string, size_t>> rests_;
};

void ChooseMetric(Comparison* all) {
  all->split = "validation";
  if (all->target) {
    all->split = all->target->split;
    all->metric = all->target->metric;
    all->larger_is_better = all->target->at_least;
    return;
  }
  const auto has = [all](const char* metric) {
    return std::ranges::any_of(all->runs, [&](const RunRecord& run) {
      return run.curve(all->split).Find(metric).has_value();
    });
  };
  if (std::ranges::all_of(all->runs, [](const RunRecord& run) { return run.validation.empty(); }))
    all->split = "train";
  all->metric = has("accuracy") ? "accuracy" : has("rmse") ? "rmse" : "loss";
  all->larger_is_better = *LargerIsBetter(all->metric);
}

void AddTimes(const RunRecord& run, std::map<uint32_t, WorkerTimes>* sums) {
  for (const WorkerTimes& times : run.workers) {
    WorkerTimes& sum = (*sums)[times.rank];
    sum.rank = times.rank;
    sum.trained += times.trained;
    sum.waited += times.waited;
    sum.delayed += times.delayed;
    sum.computed += times.computed;
  }
}

void Measure(const Comparison& all, ComparedMode* mode) {
  std::vector<double> seconds, examples, updates, last, speed, bytes, dropped, staleness;
  std::map<uint32_t, WorkerTimes> workers;
  std::map<uint64_t, StalenessBar> bars;
  for (const size_t i : mode->runs) {
    const RunRecord& run = all.runs[i];
    if (const CurvePoint* point = all.target ? FirstPointAt(*all.target, run) : nullptr) {
      seconds.push_back(point->seconds);
      examples.push_back(point->examples);
      updates.push_back(point->updates);
    }
    if (const auto value = run.curve(all.split).Last(all.metric)) last.push_back(*value);
    speed.push_back(run.examples_per_second);
    bytes.push_back(static_cast<double>(run.bytes));
    dropped.push_back(static_cast<double>(run.dropped));
    staleness.push_back(run.staleness_mean);
    AddTimes(run, &workers);
    for (const StalenessBar& bar : run.staleness) {
      StalenessBar& sum = bars[bar.from];
      sum = {bar.from, bar.to, sum.count + bar.count};
    }
  }
  mode->seconds = SpreadOf(std::move(seconds));
  mode->examples = SpreadOf(std::move(examples));
  mode->updates = SpreadOf(std::move(updates));
  mode->last = SpreadOf(std::move(last));
  mode->speed = SpreadOf(std::move(speed));
  mode->bytes = SpreadOf(std::move(bytes));
  mode->dropped = SpreadOf(std::move(dropped));
  mode->staleness = SpreadOf(std::move(staleness));
  const auto runs = static_cast<double>(mode->runs.size());
  for (const auto& [rank, sum] : workers) {
    mode->workers.push_back(
        {rank, sum.trained / runs, sum.waited / runs, sum.delayed / runs, sum.computed / runs});
  }
  for (const auto& [from, bar] : bars) mode->histogram.push_back(bar);
}

// The run of a mode with the lowest seed.
const RunRecord& FirstSeed(const Comparison& all, const ComparedMode& mode) {
  const RunRecord* first = nullptr;
  for (const std::vector<size_t>* runs : {&mode.runs, &mode.failed}) {
    for (const size_t i : *runs) {
      if (first == nullptr || all.runs[i].job.seed() < first->job.seed()) first = &all.runs[i];
    }
  }
  return *first;
}

// Of the rates of one mode the best counts, by the run of the first seed: that is the one which a
// sweep runs at every rate.
void JudgeAtBestRate(Comparison* all) {
  std::map<std::string, ComparedMode*> best;
  for (ComparedMode& mode : all->modes) {
    mode.judged = false;
    ComparedMode*& so_far = best[mode.name];
    if (so_far == nullptr || IsBetterRun(*all, FirstSeed(*all, mode), FirstSeed(*all, *so_far)))
      so_far = &mode;
  }
  for (const auto& [name, mode] : best) mode->judged = true;
}

void DescribeRehearsal(Comparison* all) {
  std::set<std::string> seen;
  for (const RunRecord& run : all->runs) {
    const absl::StatusOr<RehearsalPlan> plan = RehearsalOf(run.job.rehearsal());
    if (!plan.ok() || IsSingle(run)) continue;
    for (const std::string& what : Describe(*plan)) {
      if (seen.insert(what).second) all->rehearsal.push_back(what);
    }
    all->has_link |= plan->link.any();
    for (const SlowWorkerRule& rule : plan->slow_workers) {
      all->has_straggler = true;
      all->straggler_stays |= rule.share >= 1;
    }
  }
}

void NoteWhatIsNotComparable(Comparison* all) {
  std::set<uint64_t> examples;
  for (const ComparedMode& mode : all->modes) {
    for (const size_t i : mode.runs) {
      // Dropped gradients stand for examples that were computed on, too.
      if (all->runs[i].dropped == 0) examples.insert(all->runs[i].examples);
    }
  }
  if (examples.size() > 1) {
    all->notes.push_back(absl::StrCat(
        "The runs did not see equally many examples (", *examples.begin(), " to ",
        *examples.rbegin(), "): final values are not comparable, curves by example are."));
  }
  for (const RunRecord& run : all->runs) {
    if (run.damaged_lines == 0) continue;
    all->notes.push_back(absl::StrCat(run.directory, "/events.jsonl: ", run.damaged_lines,
                                      run.damaged_lines == 1 ? " line is" : " lines are",
                                      " damaged and left out; ", run.first_damage, "."));
  }
}

}  // namespace

std::optional<Spread> SpreadOf(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values);
  const size_t n = values.size();
  return Spread{(values[(n - 1) / 2] + values[n / 2]) / 2, values.front(), values.back(), n};
}

std::optional<double> WaitedShare(const std::vector<WorkerTimes>& workers) {
  double trained = 0, waited = 0;
  for (const WorkerTimes& worker : workers) {
    trained += worker.trained;
    waited += worker.waited;
  }
  return trained > 0 ? std::optional(waited / trained) : std::nullopt;
}

Order OrderOf(const Spread& a, const Spread& b) {
  const double margin = a.runs > 1 && b.runs > 1 ? 1 : 1.1;
  if (a.high * margin < b.low) return Order::kLess;
  return b.high * margin < a.low ? Order::kGreater : Order::kNotToldApart;
}

bool IsBetterRun(const Comparison& by, const RunRecord& a, const RunRecord& b) {
  if (a.ended_well() != b.ended_well()) return a.ended_well();
  const CurvePoint* const at_a = by.target ? FirstPointAt(*by.target, a) : nullptr;
  const CurvePoint* const at_b = by.target ? FirstPointAt(*by.target, b) : nullptr;
  if ((at_a != nullptr) != (at_b != nullptr)) return at_a != nullptr;
  if (at_a != nullptr) return at_a->seconds < at_b->seconds;
  const auto last_a = a.curve(by.split).Last(by.metric), last_b = b.curve(by.split).Last(by.metric);
  if (!last_a || !last_b) return last_a.has_value() && !last_b.has_value();
  return by.larger_is_better ? *last_a > *last_b : *last_a < *last_b;
}

const ComparedMode* Comparison::Find(const std::string& name) const {
  for (const ComparedMode& mode : modes) {
    if (mode.judged && mode.name == name) return &mode;
  }
  return nullptr;
}

Comparison CompareRuns(std::vector<RunRecord> runs, std::optional<Target> target) {
  Comparison all;
  all.runs = std::move(runs);
  all.target = std::move(target);
  if (!all.runs.empty()) all.job = all.runs[0].job.name();
  ChooseMetric(&all);
  const Names names(all.runs);
  for (size_t i = 0; i < all.runs.size(); ++i) {
    const std::string name = names.Of(all.runs[i]);
    const double rate = all.runs[i].job.optimizer().learning_rate();
    auto mode = std::ranges::find_if(all.modes, [&](const ComparedMode& known) {
      return known.name == name && known.learning_rate == rate;
    });
    if (mode == all.modes.end()) {
      all.modes.push_back({.name = name, .learning_rate = rate});
      mode = all.modes.end() - 1;
    }
    (all.runs[i].ended_well() ? mode->runs : mode->failed).push_back(i);
  }
  if (names.DifferInTheRest()) {
    all.notes.push_back(
        "Some runs of one mode have jobs that differ in more than their seed; they are apart, "
        "numbered "
        "in the order in which they were given. job.textproto in their folders says what differs.");
  }
  for (ComparedMode& mode : all.modes) Measure(all, &mode);
  JudgeAtBestRate(&all);
  DescribeRehearsal(&all);
  NoteWhatIsNotComparable(&all);
  return all;
}

}  // namespace convoy
