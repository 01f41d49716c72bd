// How gRPC works in this process.
#ifndef CONVOY_COMMON_NET_GRPC_PROCESS_H_
#define CONVOY_COMMON_NET_GRPC_PROCESS_H_

#include <stdlib.h>

#include "absl/synchronization/mutex.h"

namespace convoy {

// Every thread waits for its own sockets only (poll). gRPC's default (epoll1) has one set for the
// process: the thread of the heartbeats takes the events of the data streams and has to wake their
// thread up, in every process. 1.4 times the samples per second for small synchronous steps
// (docs/performance.md). The environment variable GRPC_POLL_STRATEGY overrides it.
//
// The mutexes of gRPC don't look for cycles in the order in which they are locked, as those of the
// distribution's library otherwise do whenever one is locked while another one is.
//
// Call once at the start of the process, before gRPC and before there are threads.
inline void ConfigureGrpc() {
  ::setenv("GRPC_POLL_STRATEGY", "poll", /*overwrite=*/0);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_GRPC_PROCESS_H_
