// One call of a generated stub, with a deadline that holds when the machine's clock is set.
#ifndef CONVOY_COMMON_NET_UNARY_CALL_H_
#define CONVOY_COMMON_NET_UNARY_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_unary_call.h>

#include <memory>

#include "absl/time/time.h"
#include "common/net/grpc_time.h"

namespace convoy::net_internal {

// Makes the call `start` (a Stub::Async...) and waits for its end until `deadline`, a time of
// SteadyNow. DEADLINE_EXCEEDED: none came. gRPC's own timers, those of ClientContext::set_deadline
// and of its pauses between connections, wait until a time of the machine's clock: where that is
// set back by an hour, they come an hour late.
template <typename Stub, typename Request, typename Reply>
grpc::Status UnaryCall(Stub& stub,
                       std::unique_ptr<grpc::ClientAsyncResponseReader<Reply>> (Stub::*start)(
                           grpc::ClientContext*, const Request&, grpc::CompletionQueue*),
                       const Request& request, absl::Time deadline, grpc::ClientContext* context,
                       Reply* reply) {
  grpc::CompletionQueue queue;
  grpc::Status status;
  const auto reader = (stub.*start)(context, request, &queue);
  reader->Finish(reply, &status, nullptr);
  void* tag;
  bool ok;
  if (queue.AsyncNext(&tag, &ok, GprTime(deadline)) == grpc::CompletionQueue::TIMEOUT) {
    context->TryCancel();
    queue.Next(&tag, &ok);
    if (!status.ok())
      status = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded");
  }
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return status;
}

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_UNARY_CALL_H_
