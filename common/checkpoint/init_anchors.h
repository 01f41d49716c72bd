// Whether optimizer.anchor holds anything.
#ifndef CONVOY_COMMON_CHECKPOINT_INIT_ANCHORS_H_
#define CONVOY_COMMON_CHECKPOINT_INIT_ANCHORS_H_

#include <string>

#include "absl/status/status.h"
#include "proto/coordinator.pb.h"
#include "proto/job.pb.h"

namespace convoy {

// InvalidArgument: the job has an anchor, but nothing that `plan` loads from the archive `path` is
// held by it. That is a mistake.
absl::Status CheckAnchors(const v1::InitPlan& plan, const v1::Optimizer& optimizer,
                          const std::string& path);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_INIT_ANCHORS_H_
