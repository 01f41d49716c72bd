// One call that a StreamServer has accepted. Internal to common/net.
#ifndef CONVOY_COMMON_NET_SERVER_CALL_H_
#define CONVOY_COMMON_NET_SERVER_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "common/net/grpc_bytes.h"
#include "common/net/ordinary_methods.h"
#include "common/net/send_queue.h"
#include "common/net/shared_memory.h"
#include "common/net/stream_headers.h"

namespace convoy::net_internal {

// On one completion queue. It lives until its last completion has come.
struct ServerCall {
  enum Op { kAccept, kHeaders, kRead, kWrite, kDelay, kFinish, kOps };
  struct Tag {
    ServerCall* call;
    Op op;
  };

  ServerCall(uint64_t number, grpc::ServerCompletionQueue* its_queue)
      : id(number), queue(its_queue), stream(&context) {
    for (int op = 0; op < kOps; ++op) tags[op] = {this, static_cast<Op>(op)};
  }

  // What has been read. InvalidArgument: it names shared memory that there is not.
  absl::StatusOr<Payload> Received() const {
    Payload message = ToPayload(incoming);
    return memory == nullptr ? message : memory->Find(std::move(message));
  }
  grpc::ByteBuffer ToSend(const WireMessage& message) const {
    const std::optional<WireMessage> placed = memory ? memory->Place(message) : std::nullopt;
    return ToByteBuffer(placed ? *placed : message);
  }

  // What the client of a stream is told as soon as it has been accepted.
  void AddHeaders() {
    context.AddInitialMetadata(kAcceptedHeader, kAccepted);
    if (memory) context.AddInitialMetadata(kMemoryHeader, std::to_string(memory->id()));
  }

  const uint64_t id;
  grpc::ServerCompletionQueue* const queue;
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream;
  grpc::ByteBuffer incoming;             // the queue's thread only
  const MethodAnswer* answer = nullptr;  // of an ordinary method; null: the stream
  // Shared with the client of a stream; constant since before its first message. Null: none.
  std::shared_ptr<SharedMemory> memory;
  Tag tags[kOps];

  Mutex mutex;
  SendQueue outgoing CONVOY_GUARDED_BY(mutex);
  int operations CONVOY_GUARDED_BY(mutex) = 1;    // whose completion has not come
  grpc::Alarm alarm CONVOY_GUARDED_BY(mutex);     // rings when the first of `outgoing` is due
  bool delayed CONVOY_GUARDED_BY(mutex) = false;  // the alarm is set
  bool finishing CONVOY_GUARDED_BY(mutex) = false;
  bool closed CONVOY_GUARDED_BY(mutex) = false;  // the queue is about to be shut down
  grpc::Status final_status CONVOY_GUARDED_BY(mutex);
};

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_SERVER_CALL_H_
