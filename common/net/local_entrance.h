// How clients of this host come to a StreamServer: their sockets go to gRPC, and the memory that
// they share waits for their stream. Internal to common/net.
#ifndef CONVOY_COMMON_NET_LOCAL_ENTRANCE_H_
#define CONVOY_COMMON_NET_LOCAL_ENTRANCE_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "common/net/local_socket.h"
#include "common/net/shared_memory.h"

namespace convoy::net_internal {

class LocalEntrance {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  explicit LocalEntrance(std::unique_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}

  // For clients that name that TCP address. `memory`: whether what they share is used. Unavailable:
  // there can't be a socket of that name. One thread, at most once.
  absl::Status Open(const std::string& address, bool memory);
  // No more connections. One thread.
  void Close();
  // The memory that the client of a stream names, which nobody gets again. Null: there is none. Any
  // thread.
  std::shared_ptr<SharedMemory> MemoryFor(const grpc::GenericServerContext& stream);

 private:
  struct Waiting {
    std::shared_ptr<SharedMemory> memory;
    absl::Time until;
  };

  void Keep(const OwnedFd& memory);
  void ForgetLocked() CONVOY_REQUIRES(mutex_);

  const std::unique_ptr<Acceptor> acceptor_;
  Mutex mutex_;
  std::deque<Waiting> waiting_ CONVOY_GUARDED_BY(mutex_);  // oldest first
  std::unique_ptr<LocalListener> listener_;
};

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_LOCAL_ENTRANCE_H_
