// Waiting for a completion of gRPC, with or without a while of asking before the thread sleeps.
#ifndef CONVOY_COMMON_NET_NEXT_COMPLETION_H_
#define CONVOY_COMMON_NET_NEXT_COMPLETION_H_

#include <grpcpp/completion_queue.h>

#include <algorithm>

#include "absl/time/time.h"
#include "common/clock.h"
#include "common/net/grpc_time.h"

namespace convoy::net_internal {

// As CompletionQueue::AsyncNext, but asks again and again for up to `spin` before it sleeps.
inline grpc::CompletionQueue::NextStatus NextCompletion(grpc::CompletionQueue& queue,
                                                        absl::Duration spin, absl::Time deadline,
                                                        void** tag, bool* ok) {
  if (spin > absl::ZeroDuration()) {
    const gpr_timespec at_once = gpr_inf_past(GPR_CLOCK_REALTIME);
    const absl::Time end = std::min(deadline, SteadyNow() + spin);
    do {
      const auto result = queue.AsyncNext(tag, ok, at_once);
      if (result != grpc::CompletionQueue::TIMEOUT) return result;
    } while (SteadyNow() < end);
  }
  return queue.AsyncNext(tag, ok, GprTime(deadline));
}

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_NEXT_COMPLETION_H_
