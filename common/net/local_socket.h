// Sockets between processes of one host, beside TCP. A Unix socket moves messages with less work
// than TCP over loopback does (docs/performance.md).
//
// A listener has the name of the TCP address it belongs to, in the abstract namespace of Unix
// sockets, which every network namespace has for itself: nothing is left behind by a process that
// was killed, and whoever reaches the address on another host, or through a proxy at another
// address, finds no such name and uses TCP.
//
// With its socket a client hands over the memory that it shares with the server, if any.
#ifndef CONVOY_COMMON_NET_LOCAL_SOCKET_H_
#define CONVOY_COMMON_NET_LOCAL_SOCKET_H_

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "common/files/owned_fd.h"

namespace convoy {

class LocalListener {
 public:
  // `memory` is not valid if the client shares none.
  using OnConnection = std::function<void(OwnedFd socket, OwnedFd memory)>;

  // `address`: host:port that this process listens on with TCP. `on_connection` is called from a
  // thread of the listener's, with each socket that ConnectLocally of a process of the same user
  // has connected. Sockets do not block. Unavailable: the name is taken, or there are no such
  // sockets here.
  static absl::StatusOr<std::unique_ptr<LocalListener>> Start(const std::string& address,
                                                              OnConnection on_connection);
  // Joins the thread. Sockets that were handed on stay.
  ~LocalListener();

 private:
  LocalListener(OwnedFd socket, OnConnection on_connection);
  void Run();

  const uid_t user_;
  const OwnedFd socket_;
  const OnConnection on_connection_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// A socket that is connected to the listener of `address`. Not valid: this host (this network
// namespace) has none, it takes no more now, or it is a process of another user. `memory`: what the
// listener gets with it, unless it is not valid.
OwnedFd ConnectLocally(const std::string& address, const OwnedFd& memory = OwnedFd());

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_LOCAL_SOCKET_H_
