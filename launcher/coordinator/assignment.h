// Who does what once all processes are there.
#ifndef CONVOY_LAUNCHER_COORDINATOR_ASSIGNMENT_H_
#define CONVOY_LAUNCHER_COORDINATOR_ASSIGNMENT_H_

#include <cstdint>

#include "launcher/coordinator/membership.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// What all processes are told; every process is registered and ready. The slices of a worker are
// left open. `job`: with training.slices.
v1::Assignment MakeAssignment(const v1::Job& job, uint64_t generation, const Membership& members);

// The job with everything filled in that depends on the data: features, classes, the steps between
// reports, and the lengths of schedules.
v1::Job FillFromData(v1::Job job, const v1::DataSummary& data, uint64_t steps_per_epoch,
                     uint64_t total_examples);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_ASSIGNMENT_H_
