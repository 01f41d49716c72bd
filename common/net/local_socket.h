// Sockets between processes of one host, beside TCP. A Unix socket moves messages with less work
// than TCP over loopback does (docs/performance.md).
//
// A listener has the name of the TCP address it belongs to, in the abstract namespace of Unix
// sockets, which every network namespace has for itself: nothing is left behind by a process that
// was killed, and whoever reaches the address on another host, or through a proxy at another
// address, finds no such name and uses TCP.
//
// With its socket a client hands over the memory that it shares with the server, if any. Any client
// of gRPC is taken, too.
#ifndef CONVOY_COMMON_NET_LOCAL_SOCKET_H_
#define CONVOY_COMMON_NET_LOCAL_SOCKET_H_

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/files/owned_fd.h"

namespace convoy {

class LocalListener {
 public:
  // `memory` is not valid if the client shares none.
  using OnConnection = std::function<void(OwnedFd socket, OwnedFd memory)>;

  // `address`: host:port that this process listens on with TCP. `on_connection` is called from a
  // thread of the listener's, with each socket on which a client of the same user has begun to
  // talk. Sockets do not block. Unavailable: the name is taken, or there are no such sockets here.
  static absl::StatusOr<std::unique_ptr<LocalListener>> Start(const std::string& address,
                                                              OnConnection on_connection);
  // Joins the thread. Sockets that were handed on stay.
  ~LocalListener();

 private:
  LocalListener(OwnedFd socket, OnConnection on_connection);
  void Run();
  void Accept();
  // Hands on those of `silent_` that have said what they are, and closes those that have not in
  // time.
  void HandOn();

  struct Silent {
    OwnedFd socket;
    absl::Time until;
  };

  const uid_t user_;
  const OwnedFd socket_;
  const OnConnection on_connection_;
  std::vector<Silent> silent_;  // the thread's
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// A socket that is connected to the listener of `address`. Not valid: this host (this network
// namespace) has none, it takes no more now, or it is a process of another user.
OwnedFd ConnectLocally(const std::string& address);
// The first that is sent on it; what follows is the client's own. The listener gets `memory` with
// it, if that is valid and can be sent. False: the listener has gone.
bool SayHello(const OwnedFd& socket, const OwnedFd& memory);

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_LOCAL_SOCKET_H_
