// The receiving end of the data plane: accepts long-lived bidirectional streams of one method and
// hands their messages to a handler, next to ordinary methods on the same port. One completion
// queue and one thread each for `threads`; a stream stays with its thread. No other thread waits
// for the network.
#ifndef CONVOY_COMMON_NET_STREAM_SERVER_H_
#define CONVOY_COMMON_NET_STREAM_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/net/exchange.h"
#include "common/net/ordinary_methods.h"
#include "common/net/payload.h"
#include "common/rehearsal/link_limit.h"

namespace convoy {

using StreamId = uint64_t;

class StreamServer {
 public:
  // Called from the server's threads, for one stream by one thread at a time. A client that closes
  // its half of the stream gets what was sent until then, and the stream ends.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnMessage(StreamId stream, Payload message) = 0;
    virtual void OnClosed(StreamId stream) = 0;
    // Now and then (every `tick`), from the first thread.
    virtual void OnTick() = 0;
  };

  struct Options {
    std::string listen = "127.0.0.1:0";  // host:port; port 0: any
    std::string method;                  // e.g. "/convoy.v1.ParameterServer/Exchange"
    Handler* handler = nullptr;          // outlives the server
    OrdinaryMethods methods;             // on the same port; health and reflection are added
    int threads = 1;
    // How long a thread asks for the next event again and again before it sleeps.
    absl::Duration spin = absl::ZeroDuration();
    absl::Duration tick = absl::Milliseconds(50);
    // Replies that a client has not taken yet; a stream above this is closed (CANCELLED).
    size_t max_backlog_bytes = size_t{256} << 20;
  };

  // Unavailable: the address can't be listened on (in use ...).
  static absl::StatusOr<std::unique_ptr<StreamServer>> Start(Options options);
  // Stops.
  ~StreamServer();

  // host:port that was bound.
  const std::string& address() const;
  // Sends after what was sent before. Any thread. No effect if the stream is gone.
  void Send(StreamId stream, const WireMessage& message);
  // From now on clients of this host reach it through a Unix socket, too, which StreamClient
  // prefers; values of messages go through memory that they share if `share_memory`.
  // Unavailable: there can't be such a socket; they use TCP. One thread, at most once, before Stop.
  absl::Status ListenLocally(bool share_memory);
  // From now on messages of streams leave as over such a link, which all streams share, to a
  // millisecond. Answers of ordinary methods leave at once. Any thread, at most once.
  void SetLink(const LinkLimit& limit);
  // Replaces Options::max_backlog_bytes. Any thread.
  void SetMaxBacklog(size_t bytes);
  // Ends a stream with that error, after what was sent before. The handler gets no further message
  // of it if it is the one who calls, from OnMessage. Any thread.
  void Close(StreamId stream, const absl::Status& why);
  // Ends all streams and joins the threads.
  void Stop();

  // Message bytes so far. Any thread.
  uint64_t bytes_sent() const;
  uint64_t bytes_received() const;

 private:
  class Impl;
  explicit StreamServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_STREAM_SERVER_H_
