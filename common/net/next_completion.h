// Waiting for a completion of gRPC, with or without a while of asking before the thread sleeps.
#ifndef CONVOY_COMMON_NET_NEXT_COMPLETION_H_
#define CONVOY_COMMON_NET_NEXT_COMPLETION_H_

#include <grpcpp/completion_queue.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace convoy::net_internal {

inline gpr_timespec GprTime(absl::Time time) {
  return time == absl::InfiniteFuture()
             ? gpr_inf_future(GPR_CLOCK_REALTIME)
             : gpr_time_from_nanos(absl::ToUnixNanos(time), GPR_CLOCK_REALTIME);
}

// As CompletionQueue::AsyncNext, but asks again and again for up to `spin` before it sleeps.
inline grpc::CompletionQueue::NextStatus NextCompletion(grpc::CompletionQueue& queue,
                                                        absl::Duration spin, absl::Time deadline,
                                                        void** tag, bool* ok) {
  if (spin > absl::ZeroDuration()) {
    const gpr_timespec at_once = gpr_inf_past(GPR_CLOCK_REALTIME);
    const absl::Time end = std::min(deadline, absl::Now() + spin);
    do {
      const auto result = queue.AsyncNext(tag, ok, at_once);
      if (result != grpc::CompletionQueue::TIMEOUT) return result;
    } while (absl::Now() < end);
  }
  return queue.AsyncNext(tag, ok, GprTime(deadline));
}

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_NEXT_COMPLETION_H_
