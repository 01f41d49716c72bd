// Checksums of the data stream's messages (cluster.wire_checksums): the last ten bytes of a message
// are its field `checksum` (30), the 64-bit XXH3 (seed 0) of all bytes before them. To a decoder it
// is a field like any other.
#ifndef CONVOY_COMMON_NET_WIRE_CHECKSUM_H_
#define CONVOY_COMMON_NET_WIRE_CHECKSUM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/net/exchange.h"
#include "common/net/payload.h"

namespace convoy {

// Call once, after Encode.
void AddChecksum(WireMessage* message);

// DataLoss: the message has no checksum at its end, or another one than its bytes.
absl::Status VerifyChecksum(const Payload& message);

// A copy in which one bit is the other way round, on purpose; which one follows from `number`.
WireMessage Damaged(const WireMessage& message, uint64_t number);

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_WIRE_CHECKSUM_H_
