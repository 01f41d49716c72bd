// What `convoy compare` runs: every mode at every rate with the first seed, and with the other
// seeds at the best rate of each mode.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMPARE_COMPARE_PLAN_H_
#define CONVOY_LAUNCHER_COMMANDS_COMPARE_COMPARE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/commands/compare/planned_run.h"
#include "launcher/commands/job_options.h"
#include "launcher/report/target.h"

namespace convoy {

struct CompareOptions {
  JobOptions job;
  std::vector<std::string> modes;  // empty: kDefaultModes
  uint32_t seeds = 3;
  std::string sweep;   // empty: the job's own rate
  std::string target;  // empty: none
  std::string out;     // empty: runs/<job>-compare
};

inline constexpr const char* kDefaultModes[] = {"sync", "async", "ssp:3", "local_sgd:16"};

class ComparePlan {
 public:
  // InvalidArgument: everything that is wrong with the options and with the job in each mode.
  static absl::StatusOr<ComparePlan> Make(const CompareOptions& options);

  const std::string& folder() const { return folder_; }
  const std::optional<Target>& target() const { return target_; }
  const std::vector<std::string>& modes() const { return modes_; }
  const std::vector<double>& rates() const { return rates_; }
  uint32_t seeds() const { return seeds_; }
  // In all.
  size_t runs() const { return modes_.size() * (rates_.size() + seeds_ - 1); }
  // The job as the first mode with servers trains it.
  const v1::Job& job() const { return jobs_[1]; }
  // What was left out of mode single, which can't honour it; empty: nothing.
  std::vector<std::string> LeftOutOfSingle() const;

  // Run `i` of modes x rates with the first seed: all modes at the first rate, then at the next,
  // ...
  PlannedRun FirstSeedRun(size_t mode, size_t rate) const;
  // A run with seed `seed` (1, 2, ... after the first).
  PlannedRun LaterSeedRun(size_t mode, double rate, uint32_t seed) const;
  // A few steps of the job, to see how long it will take.
  PlannedRun Probe() const;

 private:
  ComparePlan() = default;
  PlannedRun Run(size_t mode, double rate, uint32_t seed) const;

  std::string folder_;
  std::optional<Target> target_;
  std::vector<std::string> modes_;
  std::vector<v1::Job> jobs_;  // by mode, resolved, with the first seed and the job's own rate
  std::vector<double> rates_;  // at least one
  uint32_t seeds_ = 1;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMPARE_COMPARE_PLAN_H_
