// The placement that an assignment stands for.
#ifndef CONVOY_COMMON_PLACEMENT_ASSIGNED_PLACEMENT_H_
#define CONVOY_COMMON_PLACEMENT_ASSIGNED_PLACEMENT_H_

#include "absl/status/statusor.h"
#include "common/placement/placement.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// InvalidArgument: as FromProto and Placement::Create.
absl::StatusOr<Placement> PlacementOf(const v1::Assignment& assignment);

}  // namespace convoy

#endif  // CONVOY_COMMON_PLACEMENT_ASSIGNED_PLACEMENT_H_
