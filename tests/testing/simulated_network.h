// The data streams between workers and servers on a simulated network: messages are encoded, cut
// into random pieces, delayed, reordered across streams and lost with their stream. Partitions cut
// workers off from servers for a while, in one direction or both.
#ifndef CONVOY_TESTS_TESTING_SIMULATED_NETWORK_H_
#define CONVOY_TESTS_TESTING_SIMULATED_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/net/exchange.h"
#include "tests/testing/event_queue.h"

namespace convoy::testing {

// Processes of workers and streams have numbers that are never used again; servers have ranks.
class SimulatedNetwork {
 public:
  struct Options {
    uint32_t servers = 1;
    // Chance that a message takes a stream down with it.
    double stream_loss = 0;
    // Chance that a partition begins with a message.
    double partition = 0;
  };
  // What the ends of the streams are told.
  struct Ends {
    std::function<void(uint64_t process, uint32_t server)> opened, closed;
    std::function<void(uint64_t process, uint32_t server, const ExchangeReply&)> reply;
    std::function<bool(uint32_t server)> is_up;  // listens
    std::function<void(uint64_t stream, uint32_t server, const ExchangeRequest&)> request;
    std::function<void(uint64_t stream, uint32_t server)> server_closed;
    // Processes of workers that are alive.
    std::function<std::vector<uint64_t>()> clients;
    // The process of a worker is cut off from some servers.
    std::function<void(uint64_t process)> cut_off;
    std::function<void(const std::string& line)> log;
    std::function<void(const absl::Status&)> fail;
  };

  SimulatedNetwork(const Options& options, Ends ends, EventQueue* events)
      : options_(options), ends_(std::move(ends)), events_(*events) {}

  // Opens a stream of a process in the place of the one before.
  void Open(uint64_t process, uint32_t server);
  // On the newest stream to the server; lost if it is closed.
  void Send(uint64_t process, uint32_t server, const ExchangeRequest& request);
  void Reply(uint64_t stream, const ExchangeReply& reply);
  // Cuts off some servers from a process, or with 0 a minority of them from all.
  void Partition(uint64_t process);
  // All streams of a process end.
  void EndProcess(uint64_t process);
  // The server is gone at once: it reads nothing more of what was under way.
  void EndServer(uint32_t server);

  uint64_t streams_lost() const { return streams_lost_; }
  uint64_t partitions() const { return cuts_.size(); }

 private:
  struct Stream;
  using StreamPtr = std::shared_ptr<Stream>;
  // No messages between these pass until then.
  struct Cut {
    uint64_t process;  // 0: all
    std::set<uint32_t> servers;
    bool up, down;  // from workers to servers, from servers to workers
    bool loses;     // streams break with what is sent; else it is held up
    absl::Time until;
  };
  enum class Direction { kUp, kDown, kBoth };

  // The cut that ends last; null: there is none.
  const Cut* CutBetween(const Stream& stream, Direction direction) const;
  void MaybeCut();
  void TryToOpen(const StreamPtr& stream);
  // When a message that is sent now arrives; InfiniteFuture: it is lost, and the stream with it.
  absl::Time ArrivalOf(const StreamPtr& stream, Direction direction, absl::Time last);
  void Break(const StreamPtr& stream);
  void CloseClient(const StreamPtr& stream);
  void CloseServer(const StreamPtr& stream);
  // The bytes of a message in random pieces, each overwritten when it is released.
  Payload Shred(const std::string& bytes);

  const Options options_;
  const Ends ends_;
  EventQueue& events_;
  std::vector<StreamPtr> streams_;                             // by number - 1
  std::map<std::pair<uint64_t, uint32_t>, StreamPtr> newest_;  // by process and server
  std::vector<Cut> cuts_;
  uint64_t streams_lost_ = 0;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_SIMULATED_NETWORK_H_
