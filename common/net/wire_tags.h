// Tags of protobuf fields, for the messages that are encoded and decoded by hand. Internal to
// common/net.
#ifndef CONVOY_COMMON_NET_WIRE_TAGS_H_
#define CONVOY_COMMON_NET_WIRE_TAGS_H_

#include <cstdint>

namespace convoy::net_internal {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
constexpr uint32_t Tag(uint32_t field, WireType type) { return field << 3 | type; }

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_WIRE_TAGS_H_
