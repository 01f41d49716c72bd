// Methods of a StreamServer beside its data stream, and two that every server has: grpc.health.v1
// and grpc.reflection.v1alpha.
//
// They are answered on the stream threads. gRPC's own ways to serve a method (synchronous,
// callback) bring threads that wait for the network; such a thread takes a stream's event as often
// as the stream's own thread does and then has to wake that one up, which costs more than the
// message (docs/performance.md).
#ifndef CONVOY_COMMON_NET_ORDINARY_METHODS_H_
#define CONVOY_COMMON_NET_ORDINARY_METHODS_H_

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/net/payload.h"

namespace convoy {

// Bytes of a request to bytes of its reply; an error becomes the status of the call. A call with
// several requests gets as many replies, in order. Must not block.
using MethodAnswer = std::function<absl::StatusOr<std::string>(const Payload& request)>;

// By full name, "/package.Service/Method".
using OrdinaryMethods = std::map<std::string, MethodAnswer>;

// A method with protobuf messages. InvalidArgument: the bytes are not a Request.
template <typename Request, typename Reply>
MethodAnswer MessageMethod(std::function<absl::StatusOr<Reply>(const Request&)> answer) {
  return [answer = std::move(answer)](const Payload& bytes) -> absl::StatusOr<std::string> {
    Request request;
    if (!request.ParseFromString(bytes.ToString())) {
      return absl::InvalidArgumentError("the request cannot be parsed as " + request.GetTypeName());
    }
    absl::StatusOr<Reply> reply = answer(request);
    if (!reply.ok()) return reply.status();
    return reply->SerializeAsString();
  };
}

// Adds health (always SERVING) and reflection of all services whose methods are there,
// `stream_method` included.
void AddStandardMethods(const std::string& stream_method, OrdinaryMethods* methods);

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_ORDINARY_METHODS_H_
