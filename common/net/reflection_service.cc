#include "common/net/reflection_service.h"

#include <grpcpp/support/slice.h>

#include <utility>

#include "common/net/grpc_bytes.h"

namespace convoy {
namespace {

// One call: an answer for each request, until the client has no more. Deletes itself.
class ReflectionCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit ReflectionCall(const MethodAnswer& answer) : answer_(answer) { StartRead(&request_); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    const absl::StatusOr<std::string> reply = answer_(net_internal::ToPayload(request_));
    if (!reply.ok()) {
      return Finish({static_cast<grpc::StatusCode>(reply.status().code()),
                     std::string(reply.status().message())});
    }
    const grpc::Slice slice(*reply);
    reply_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&reply_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);  // the client has gone
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

  const MethodAnswer& answer_;
  grpc::ByteBuffer request_, reply_;
};

}  // namespace

ReflectionService::ReflectionService(std::set<std::string> services)
    : answer_(ReflectionOf(std::move(services))) {}

grpc::ServerGenericBidiReactor* ReflectionService::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  if (context->method() == kReflectionMethod) return new ReflectionCall(answer_);
  return grpc::CallbackGenericService::CreateReactor(context);
}

}  // namespace convoy
