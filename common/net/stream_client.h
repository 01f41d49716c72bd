// The sending end of the data plane: long-lived bidirectional streams to some peers, driven by one
// completion queue and no thread of its own. Whoever needs progress calls Poll.
//
// One thread at a time.
#ifndef CONVOY_COMMON_NET_STREAM_CLIENT_H_
#define CONVOY_COMMON_NET_STREAM_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/net/exchange.h"
#include "common/net/payload.h"
#include "common/rehearsal/link_limit.h"

namespace convoy {

class StreamClient {
 public:
  struct Event {
    enum class Kind { kOpened, kMessage, kClosed };
    Kind kind = Kind::kMessage;
    int peer = 0;
    Payload message;      // kMessage
    absl::Status status;  // kClosed: why
  };

  // `method`: full name of the streaming method, e.g. "/convoy.v1.ParameterServer/Exchange".
  // `spin`: how long Poll asks again and again before it sleeps.
  explicit StreamClient(std::string method, absl::Duration spin = absl::ZeroDuration());
  // Cancels all streams and waits until gRPC has let go of them.
  ~StreamClient();

  // Messages leave as over such a link, which all streams share, to a millisecond; while nobody
  // calls Poll, none leaves. Call before Open.
  void SetLink(const LinkLimit& limit);
  // Opens a stream to `address` under the number `peer` (0, 1, ...), through a Unix socket if the
  // server has one on this host (StreamServer::ListenLocally). Answered by kOpened, when the server
  // has accepted it, or kClosed (Unavailable: no connection within 5 s, or not accepted 5 s after
  // that). The peer must have no open stream.
  void Open(int peer, const std::string& address);
  // Sends after what was sent before, and not before `delay` is over. No effect on a closed stream
  // (kClosed tells).
  void Send(int peer, const WireMessage& message, absl::Duration delay = absl::ZeroDuration());
  // Cancels the stream; kClosed follows.
  void Close(int peer);
  // The next event, waiting until `deadline` for it at most. False: none. Small messages that were
  // sent in a burst may be held back until there is none: who stops before asks HoldsBack.
  bool Poll(absl::Time deadline, Event* event);
  // The next event that is there while messages wait to leave. False: all have left, or the network
  // takes no more now.
  bool PollUntilSent(Event* event);
  // Whether messages wait for the next Poll though the network would take them.
  bool HoldsBack() const;

  // Message bytes so far.
  uint64_t bytes_sent() const;
  uint64_t bytes_received() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_STREAM_CLIENT_H_
