// One unary call of the callback API that is finished by whoever answers it. Internal to the
// service.
#ifndef CONVOY_LAUNCHER_COORDINATOR_UNARY_CALL_H_
#define CONVOY_LAUNCHER_COORDINATOR_UNARY_CALL_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "launcher/coordinator/coordinator_core.h"

namespace convoy {

// Deletes itself when gRPC is done with it, which is after Finish.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  // `reply`: filled by Deliver. `on_cancel`: the client has gone; Finish is still due.
  UnaryCall(google::protobuf::Message* reply, std::function<void()> on_cancel)
      : reply_(reply), on_cancel_(std::move(on_cancel)) {}

  // Finishes the call; once. Hold no lock.
  void Deliver(Actions::Reply reply) {
    if (const auto* error = std::get_if<absl::Status>(&reply)) {
      Finish({static_cast<grpc::StatusCode>(error->code()), std::string(error->message())});
      return;
    }
    std::visit([this](auto& value) { Take(&value); }, reply);
    Finish(grpc::Status::OK);
  }

 private:
  void Take(google::protobuf::Message* value) { reply_->GetReflection()->Swap(reply_, value); }
  void Take(absl::Status*) {}
  void OnCancel() override { on_cancel_(); }
  void OnDone() override { delete this; }

  google::protobuf::Message* const reply_;
  const std::function<void()> on_cancel_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_UNARY_CALL_H_
