// What a server sends as soon as it has accepted a stream, before any message. gRPC's own headers
// don't tell a client as much: for a connection that breaks first it makes up empty ones. Internal
// to common/net.
#ifndef CONVOY_COMMON_NET_ACCEPTED_HEADER_H_
#define CONVOY_COMMON_NET_ACCEPTED_HEADER_H_

namespace convoy::net_internal {

inline constexpr char kAcceptedHeader[] = "convoy-stream";
inline constexpr char kAccepted[] = "accepted";

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_ACCEPTED_HEADER_H_
