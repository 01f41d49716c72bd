// What a job rehearses (proto/job.proto, Rehearsal): read and checked.
#ifndef CONVOY_COMMON_REHEARSAL_REHEARSAL_H_
#define CONVOY_COMMON_REHEARSAL_REHEARSAL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rehearsal/link_limit.h"
#include "common/rehearsal/slow_worker.h"
#include "proto/job.pb.h"

namespace convoy {

struct RehearsalPlan {
  std::vector<SlowWorkerRule> slow_workers;
  LinkLimit link;

  bool any() const { return !slow_workers.empty() || link.any(); }
};

// InvalidArgument: as of ParseSlowWorkerRule and ParseLinkLimit.
absl::StatusOr<RehearsalPlan> RehearsalOf(const v1::Rehearsal& rehearsal);

// For people, one thing each: "worker 1 is 3 times slower all the time".
std::vector<std::string> Describe(const RehearsalPlan& plan);

}  // namespace convoy

#endif  // CONVOY_COMMON_REHEARSAL_REHEARSAL_H_
