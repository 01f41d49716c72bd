// Times as gRPC takes them.
#ifndef CONVOY_COMMON_NET_GRPC_TIME_H_
#define CONVOY_COMMON_NET_GRPC_TIME_H_

#include <grpc/support/time.h>

#include "absl/time/time.h"
#include "common/clock.h"

namespace convoy::net_internal {

// `time`: of SteadyNow. Deadlines of the machine's clock would come at once, or hours late, when
// that is set.
inline gpr_timespec GprTime(absl::Time time) {
  if (time == absl::InfiniteFuture()) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  if (time == absl::InfinitePast()) return gpr_inf_past(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_nanos(absl::ToInt64Nanoseconds(time - SteadyNow()), GPR_TIMESPAN));
}

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_GRPC_TIME_H_
