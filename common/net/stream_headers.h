// What the ends of a stream tell each other before any message. Internal to common/net.
#ifndef CONVOY_COMMON_NET_STREAM_HEADERS_H_
#define CONVOY_COMMON_NET_STREAM_HEADERS_H_

namespace convoy::net_internal {

// A server sends this as soon as it has accepted a stream. gRPC's own headers don't tell a client
// as much: for a connection that breaks first it makes up empty ones.
inline constexpr char kAcceptedHeader[] = "convoy-stream";
inline constexpr char kAccepted[] = "accepted";

// A client: the id of the memory that came with its socket (shared_memory.h). A server that has
// mapped it answers with the same.
inline constexpr char kMemoryHeader[] = "convoy-memory";

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_STREAM_HEADERS_H_
