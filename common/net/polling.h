// How gRPC waits for the network in this process.
#ifndef CONVOY_COMMON_NET_POLLING_H_
#define CONVOY_COMMON_NET_POLLING_H_

#include <stdlib.h>

namespace convoy {

// Every thread waits for its own sockets only (poll). gRPC's default (epoll1) has one set for the
// process: the thread of the heartbeats takes the events of the data streams and has to wake their
// thread up, in every process. 1.4 times the samples per second for small synchronous steps
// (docs/performance.md). The environment variable GRPC_POLL_STRATEGY overrides it.
//
// Call once at the start of the process, before gRPC and before there are threads.
inline void ConfigurePolling() { ::setenv("GRPC_POLL_STRATEGY", "poll", /*overwrite=*/0); }

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_POLLING_H_
