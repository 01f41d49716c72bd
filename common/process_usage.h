// What this process has used so far.
#ifndef CONVOY_COMMON_PROCESS_USAGE_H_
#define CONVOY_COMMON_PROCESS_USAGE_H_

#include "proto/coordinator.pb.h"

namespace convoy {

// CPU seconds (user + system) and resident memory, now and at its peak; what only workers count is
// left at 0.
v1::ProcessUsage CurrentProcessUsage();

}  // namespace convoy

#endif  // CONVOY_COMMON_PROCESS_USAGE_H_
