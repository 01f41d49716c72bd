// The logic of a worker's end of the data streams without gRPC, threads or clocks: requests are
// numbered, held back where the rules say so, sent again after a lost stream, and matched with
// their replies.
//
// Rules kept here:
//  - Requests of one server are sent in the order of Submit, and again in that order after a
//  reconnect, until
//    they are answered.
//  - sync: nothing of step t + 1 is sent before every server has acknowledged that it applied step
//  t.
//  - Nothing new is sent to a server that has refused a request because it has no part yet, until
//  it
//    has answered that request: steps would be taken before it, and it asks for the weights before
//    them.
//  - async, ssp: at most `in_flight_bytes` of unanswered gradients are under way to one server.
#ifndef CONVOY_WORKER_CLIENT_CORE_H_
#define CONVOY_WORKER_CLIENT_CORE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/mode.h"
#include "common/net/exchange.h"

namespace convoy {

// Not thread-safe.
class ClientCore {
 public:
  struct Options {
    uint64_t job_id = 0;
    uint64_t generation = 1;
    uint32_t worker = 0;
    // Streams are numbered from here: above those of a process that was this worker before.
    uint64_t first_session = 1;
    std::vector<std::string> servers;  // names for messages, e.g. addresses
    Mode mode;
    size_t in_flight_bytes = size_t{2} << 20;
    absl::Duration retry_delay = absl::Milliseconds(2);
    absl::Duration first_backoff = absl::Milliseconds(20);
    absl::Duration last_backoff = absl::Seconds(1);
    // A server that can't be reached for this long is an error.
    absl::Duration give_up_after = absl::Seconds(10);
    // A request that is not answered for this long is an error; longer than the servers' own wait
    // timeout.
    absl::Duration answer_timeout = absl::Seconds(70);
  };

  struct Action {
    enum class Kind {
      kOpen,      // open a stream to `server`
      kSend,      // send `request` to `server`
      kComplete,  // `reply` answers request `request`
    };
    Kind kind = Kind::kOpen;
    uint32_t server = 0;
    std::shared_ptr<const ExchangeRequest> request;
    ExchangeReply reply;
  };
  using Actions = absl::InlinedVector<Action, 2>;

  explicit ClientCore(Options options);

  // Opens the streams.
  void Start(absl::Time now, Actions* actions);
  // Takes over a request; job, generation, worker, session and number are filled in here.
  uint64_t Submit(uint32_t server, ExchangeRequest&& request, absl::Time now, Actions* actions);

  void OnOpened(uint32_t server, absl::Time now, Actions* actions);
  void OnClosed(uint32_t server, const absl::Status& why, absl::Time now);
  // An error is what the server refused, with its name. Replies to requests that are answered
  // already are ignored.
  absl::Status OnReply(uint32_t server, ExchangeReply&& reply, absl::Time now, Actions* actions);
  // Retries, reconnects and deadlines that are due. Unavailable: a server was out of reach for too
  // long. DeadlineExceeded: it did not answer.
  absl::Status Tick(absl::Time now, Actions* actions);
  // When Tick should be called at the latest.
  absl::Time NextDeadline() const;

  // True if every request has been answered.
  bool idle() const;
  bool connected() const;
  // Every server has applied all steps below this, as far as their replies tell (modes with steps).
  uint64_t applied_step() const;

 private:
  struct Item {
    std::shared_ptr<ExchangeRequest> request;
    bool sent = false;
    // Of the first sending, or when the server last said that it has no part yet.
    absl::Time since = absl::InfiniteFuture();
    absl::Time retry_at = absl::InfiniteFuture();
    bool too_early = false;  // refused on this stream: the server has no part yet
    std::string said{};      // why it is to be sent again
  };
  struct Server {
    std::string name;
    bool connected = false;
    uint64_t session = 0;
    absl::Time down_since, reopen_at = absl::InfiniteFuture();
    absl::Duration backoff;
    absl::Status why;
    std::deque<Item> items;  // unanswered, in order
    size_t too_early = 0;    // items that are
    size_t bytes_in_flight = 0;
    uint64_t applied = 0;  // every step below this is applied there
  };

  bool MaySend(const Server& server, const ExchangeRequest& request) const;
  void Flush(uint32_t server, absl::Time now, Actions* actions);
  static void SetTooEarly(bool too_early, Server& server, Item& item);
  void FlushAll(absl::Time now, Actions* actions);
  void Send(uint32_t server, Item& item, Actions* actions);
  absl::Status Refused(const Server& server, const ExchangeReply& reply) const;

  const Options options_;
  std::vector<Server> servers_;
  uint64_t next_request_ = 1;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_CLIENT_CORE_H_
