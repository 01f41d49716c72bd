// What observers are told of a process.
#ifndef CONVOY_LAUNCHER_COORDINATOR_PROCESS_INFO_H_
#define CONVOY_LAUNCHER_COORDINATOR_PROCESS_INFO_H_

#include <cstdint>

#include "absl/time/time.h"
#include "launcher/coordinator/process.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// From `start` to `time`, at least 1, so that 0 can mean "not yet"; 0 if `time` is the infinite
// past.
uint64_t MillisecondsSince(absl::Time start, absl::Time time);

// `start`: the coordinator began.
v1::ProcessInfo DescribeProcess(const Process& process, absl::Time start);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_PROCESS_INFO_H_
