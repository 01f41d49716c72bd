// Between gRPC's byte buffers and payloads, without copies. Internal to common/net.
#ifndef CONVOY_COMMON_NET_GRPC_BYTES_H_
#define CONVOY_COMMON_NET_GRPC_BYTES_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "common/net/exchange.h"

namespace convoy::net_internal {

// The buffer's bytes stay where gRPC put them; the payload's owner holds them.
inline Payload ToPayload(const grpc::ByteBuffer& buffer) {
  auto slices = std::make_shared<std::vector<grpc::Slice>>();
  if (!buffer.Dump(slices.get()).ok()) return Payload();
  Payload payload(slices);
  for (const grpc::Slice& slice : *slices) {
    payload.Append({reinterpret_cast<const char*>(slice.begin()), slice.size()});
  }
  return payload;
}

// Header pieces are copied (they are small), payload segments are referred to until gRPC lets go of
// them.
inline grpc::ByteBuffer ToByteBuffer(const WireMessage& message) {
  using Owner = std::shared_ptr<const void>;
  absl::InlinedVector<grpc::Slice, 8> slices;
  for (const WireMessage::Piece& piece : message.pieces()) {
    if (piece.payload.empty()) {
      slices.emplace_back(message.header().data() + piece.begin, piece.end - piece.begin);
      continue;
    }
    for (const Segment& segment : piece.payload.segments()) {
      slices.emplace_back(
          const_cast<char*>(segment.data), segment.size,
          [](void* owner) { delete static_cast<Owner*>(owner); }, new Owner(piece.payload.owner()));
    }
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_GRPC_BYTES_H_
