// What a job rehearses (proto/job.proto, Rehearsal): read and checked.
#ifndef CONVOY_COMMON_REHEARSAL_REHEARSAL_H_
#define CONVOY_COMMON_REHEARSAL_REHEARSAL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rehearsal/fault.h"
#include "common/rehearsal/link_limit.h"
#include "common/rehearsal/slow_worker.h"
#include "proto/job.pb.h"

namespace convoy {

struct RehearsalPlan {
  std::vector<SlowWorkerRule> slow_workers;
  LinkLimit link;
  std::vector<Fault> faults;  // but for kSlow, which are among `slow_workers`

  bool any() const { return !slow_workers.empty() || link.any() || !faults.empty(); }
};

// InvalidArgument: as of ParseSlowWorkerRule, ParseLinkLimit and ParseFault.
absl::StatusOr<RehearsalPlan> RehearsalOf(const v1::Rehearsal& rehearsal);

// For people, one thing each: "worker 1 is 3 times slower all the time".
std::vector<std::string> Describe(const RehearsalPlan& plan);

}  // namespace convoy

#endif  // CONVOY_COMMON_REHEARSAL_REHEARSAL_H_
