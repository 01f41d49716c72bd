// Calls of a gRPC method by its name with bytes, for services whose generated code is not at hand.
#ifndef CONVOY_TESTS_LAUNCHER_COORDINATOR_RAW_CALL_H_
#define CONVOY_TESTS_LAUNCHER_COORDINATOR_RAW_CALL_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <string>

namespace convoy {

// Sends one message and returns the first one that comes back; "": none.
inline std::string RawCall(const std::string& address, const std::string& method,
                           const std::string& bytes) {
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  next();
  const grpc::Slice slice(bytes);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  next();
  grpc::ByteBuffer reply;
  call->Read(&reply, nullptr);
  next();
  grpc::Status status;
  call->Finish(&status, nullptr);
  next();
  queue.Shutdown();
  next();
  grpc::Slice all;
  return reply.Valid() && reply.DumpToSingleSlice(&all).ok()
             ? std::string(reinterpret_cast<const char*>(all.begin()), all.size())
             : std::string();
}

}  // namespace convoy

#endif  // CONVOY_TESTS_LAUNCHER_COORDINATOR_RAW_CALL_H_
