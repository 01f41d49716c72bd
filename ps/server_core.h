// The logic of a parameter server without gRPC, threads or clocks: requests go in with the time, replies come
// out. Real servers wire it to streams, tests to a simulated network.
#ifndef CONVOY_PS_SERVER_CORE_H_
#define CONVOY_PS_SERVER_CORE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mode.h"
#include "common/mutex.h"
#include "common/net/exchange.h"
#include "common/optimizers/optimizer.h"
#include "common/placement/placement.h"
#include "common/placement/slice_tree.h"
#include "proto/job.pb.h"
#include "proto/parameter_server.pb.h"
#include "ps/buffer_pool.h"
#include "ps/cell.h"
#include "ps/clock_table.h"
#include "ps/pull_ticket.h"
#include "ps/request_check.h"

namespace convoy {

// Thread-safe; requests of one stream must be handled one after the other.
class ServerCore {
 public:
  struct Options {
    uint64_t job_id = 0;
    uint64_t generation = 1;
    uint32_t rank = 0;
    Mode mode;
    uint32_t slices = 1;
    uint32_t workers = 1;
    uint64_t seed = 1;
    v1::Optimizer optimizer;
    uint64_t epoch_examples = 1;   // for the defaults of schedules
    uint64_t total_examples = 1;
    absl::Duration wait_timeout = absl::Seconds(60);
    // Out-of-order gradients that may be stored, in multiples of the size of the weights.
    double out_of_order_budget = 2;
    bool poison_buffers = false;
  };

  struct Outgoing {
    uint64_t stream;
    ExchangeReply reply;
  };

  // InvalidArgument: optimizer settings.
  static absl::StatusOr<std::unique_ptr<ServerCore>> Create(Options options, Placement placement);

  // Handles one request of `stream`. Replies that are due now, to this stream or others, are appended to `out`.
  void Handle(uint64_t stream, const ExchangeRequest& request, absl::Time now, std::vector<Outgoing>* out);
  // The stream is gone: nothing is sent to it any more.
  void OnStreamClosed(uint64_t stream);
  // Answers pulls whose deadline has passed; the answer names what is missing.
  void Tick(absl::Time now, std::vector<Outgoing>* out);

  const Options& options() const { return options_; }
  const Placement& placement() const { return placement_; }
  // Counters; the bytes are the caller's to fill in.
  v1::ServerStats Stats() const;
  // Cell `id` of this server (CHECK), or with kServerCell the server's own.
  static constexpr uint32_t kServerCell = ~uint32_t{0};
  Cell::State CellState(uint32_t id) const;

 private:
  // What is known of a worker's stream.
  struct Session {
    uint64_t number = 0;
    absl::Time last_heard;
    // Contributions to the current step that were answered RETRY_LATER (sync): tree node and cell.
    std::set<std::pair<TreeNode, uint32_t>> refused;
  };
  enum class Accepted { kAll, kRetryLater };

  ServerCore(Options options, Placement placement);
  absl::Status MakeCells();
  absl::StatusOr<std::unique_ptr<Optimizer>> MakeUpdate(const OptimizerSettings& settings) const;

  Cell& cell(uint32_t id) { return *cells_[local_[id]]; }
  absl::Status CheckFence(const ExchangeRequest& request, absl::Time now);
  // The worker's session; null if a newer stream has taken over since CheckFence (on another thread).
  Session* CurrentSessionLocked(const ExchangeRequest& request) CONVOY_REQUIRES(mutex_);

  absl::StatusOr<Accepted> Push(const ExchangeRequest& request, ExchangeReply* reply,
                                std::vector<ParkedPull>* released);
  absl::StatusOr<Accepted> PushCell(const ExchangeRequest& request, const Contribution& contribution,
                                    ExchangeReply* reply, std::vector<ParkedPull>* released);
  absl::StatusOr<Accepted> FinishPush(const ExchangeRequest& request, ExchangeReply* reply,
                                      std::vector<ParkedPull>* released);
  absl::Status Gap(const ExchangeRequest& request, uint64_t expected, ExchangeReply* reply) const;
  void UpdateClock(const ExchangeRequest& request, std::vector<std::shared_ptr<PullTicket>>* ready);
  void Pull(uint64_t stream, const ExchangeRequest& request, absl::Time now, ExchangeReply reply,
            std::vector<Outgoing>* out);
  bool ParkOnClock(uint64_t stream, const ExchangeRequest& request, absl::Time now, ExchangeReply* reply);
  std::shared_ptr<PullTicket> MakeTicket(uint64_t stream, const ExchangeRequest& request, absl::Time now,
                                         ExchangeReply* reply);
  void Answer(PullTicket& ticket, std::vector<Outgoing>* out);
  void CountDown(PullTicket& ticket, uint32_t by, std::vector<Outgoing>* out);
  std::string Describe(const PullTicket& ticket, absl::Time now) const;
  std::string DescribeWorker(uint32_t worker, absl::Time now) const;

  const Options options_;
  const Placement placement_;
  const SliceTree tree_;
  const ConsistencyPolicy policy_;
  const RequestCheck check_;
  BufferPool pool_;
  std::vector<std::unique_ptr<Optimizer>> optimizers_;   // by variable
  std::vector<uint32_t> local_;                          // cell id -> position in cells_
  std::vector<std::unique_ptr<Cell>> cells_;
  std::unique_ptr<Cell> server_cell_;
  std::atomic<int64_t> stored_bytes_{0};

  std::atomic<uint64_t> duplicates_{0}, retries_{0};

  mutable Mutex mutex_;
  std::map<uint32_t, Session> sessions_ CONVOY_GUARDED_BY(mutex_);
  Staleness staleness_ CONVOY_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<PullTicket>> parked_ CONVOY_GUARDED_BY(mutex_);

  mutable Mutex clock_mutex_;
  ClockTable clocks_ CONVOY_GUARDED_BY(clock_mutex_);
  std::vector<std::shared_ptr<PullTicket>> waiting_for_clock_ CONVOY_GUARDED_BY(clock_mutex_);
};

}  // namespace convoy

#endif  // CONVOY_PS_SERVER_CORE_H_
