// Several trainings side by side: runs that differ in their seed only are one entry.
#ifndef CONVOY_LAUNCHER_REPORT_COMPARISON_H_
#define CONVOY_LAUNCHER_REPORT_COMPARISON_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "launcher/report/run_record.h"
#include "launcher/report/target.h"

namespace convoy {

// Of the runs of an entry.
struct Spread {
  double median = 0, low = 0, high = 0;
  size_t runs = 0;
};

// Nothing if there are no values.
std::optional<Spread> SpreadOf(std::vector<double> values);

// One mode at one learning rate, over its seeds.
struct ComparedMode {
  std::string name;  // the mode, and what else tells it from others
  double learning_rate = 0;
  // Indices of Comparison::runs: those that ended as planned, and the others.
  std::vector<size_t> runs = {}, failed = {};
  // False: the same mode is better at another rate.
  bool judged = true;
  // To the target, of the runs that met it: `seconds->runs` of them.
  std::optional<Spread> seconds = {}, examples = {}, updates = {};
  // The last value of the judged metric.
  std::optional<Spread> last = {};
  std::optional<Spread> speed = {};  // examples per second
  std::optional<Spread> bytes = {}, dropped = {}, staleness = {};
  std::vector<WorkerTimes> workers = {};     // by rank, means over the runs
  std::vector<StalenessBar> histogram = {};  // sums over the runs

  // Every run ended well and met the target.
  bool always_reached() const { return failed.empty() && seconds && seconds->runs == runs.size(); }
};

// Of the time of all workers; nullopt: not measured.
std::optional<double> WaitedShare(const std::vector<WorkerTimes>& workers);

struct Comparison {
  std::string job;
  std::optional<Target> target;
  // What the modes are judged by besides: the target's metric, or else the first of accuracy, rmse
  // and loss that the runs have, on the validation data if there are any.
  std::string split, metric;
  bool larger_is_better = true;
  std::vector<RunRecord> runs;
  std::vector<ComparedMode> modes;  // in the order in which the runs name them
  // What was different about the cluster on purpose, for people; of the runs with servers.
  std::vector<std::string> rehearsal;
  // Whether that is a straggler, one that stays, and a link.
  bool has_straggler = false, straggler_stays = false, has_link = false;
  // What a reader must know: runs that are not comparable, what was left out.
  std::vector<std::string> notes;

  const ComparedMode* Find(const std::string& name) const;  // judged; null: none
};

Comparison CompareRuns(std::vector<RunRecord> runs, std::optional<Target> target);

// Whether run `a` is better than run `b`: it met the target earlier, or it alone met it; if neither
// did, or there is none, by the last value of the metric. A failed run is worse than any other.
bool IsBetterRun(const Comparison& by, const RunRecord& a, const RunRecord& b);

// How the numbers of two modes stand to each other.
enum class Order { kLess, kNotToldApart, kGreater };
// Less: every run of `a` is below every run of `b`, and if one of them has a single run, by more
// than a tenth.
Order OrderOf(const Spread& a, const Spread& b);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_COMPARISON_H_
