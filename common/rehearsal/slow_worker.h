// Workers that are made slower than they are, to see what a mode does about it
// (rehearsal.slow_worker).
//
//   rule  = WHO "=" FACTOR "x" [ "@" SHARE "%" [ "/" BATCHES ] ]
//   WHO   = rank of a worker | "any"
// "1=3x": worker 1 needs 3 times as long, always. "any=3x@10%": each worker is 3 times as slow in a
// tenth of its batches, which are drawn from the seed in stretches of BATCHES (default 2) batches.
#ifndef CONVOY_COMMON_REHEARSAL_SLOW_WORKER_H_
#define CONVOY_COMMON_REHEARSAL_SLOW_WORKER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace convoy {

struct SlowWorkerRule {
  std::optional<uint32_t> worker;  // none: each of them
  double factor = 1;               // > 1
  double share = 1;                // of the batches, in (0, 1]; 1: always
  uint64_t stretch = 2;            // batches

  bool operator==(const SlowWorkerRule&) const = default;
};

// InvalidArgument: says what was expected.
absl::StatusOr<SlowWorkerRule> ParseSlowWorkerRule(std::string_view text);
// In the words of the grammar.
std::string ToString(const SlowWorkerRule& rule);
// For people: "worker 1 is 3 times slower all the time".
std::string Describe(const SlowWorkerRule& rule);

// How slow one worker is in each of its batches.
class Slowness {
 public:
  // Those of `rules` that name the worker or all. The same everywhere for the same arguments.
  Slowness(const std::vector<SlowWorkerRule>& rules, uint64_t seed, uint32_t worker);

  // False: the worker is never slow.
  bool any() const { return !rules_.empty(); }
  // By which the time of batch `batch` (of this worker, from 0) is multiplied, >= 1. The largest of
  // the rules that apply.
  double FactorOf(uint64_t batch) const;

 private:
  std::vector<SlowWorkerRule> rules_;
  uint64_t seed_;
  uint32_t worker_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_REHEARSAL_SLOW_WORKER_H_
