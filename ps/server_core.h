// The logic of a parameter server without gRPC, threads or clocks: requests go in with the time,
// replies come out. Real servers wire it to streams, tests to a simulated network.
#ifndef CONVOY_PS_SERVER_CORE_H_
#define CONVOY_PS_SERVER_CORE_H_

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "common/net/exchange.h"
#include "common/placement/placement.h"
#include "common/staleness_histogram.h"
#include "proto/parameter_server.pb.h"
#include "ps/cell.h"
#include "ps/clock_table.h"
#include "ps/pull_ticket.h"
#include "ps/request_check.h"
#include "ps/shard.h"
#include "ps/waiting_pulls.h"

namespace convoy {

// Thread-safe; requests of one stream must be handled one after the other.
class ServerCore {
 public:
  struct Options : ShardOptions {
    uint64_t job_id = 0;
    uint64_t generation = 1;
    uint32_t workers = 1;
    absl::Duration wait_timeout = absl::Seconds(60);
  };

  struct Outgoing {
    uint64_t stream;
    ExchangeReply reply;
  };

  // InvalidArgument: optimizer settings.
  static absl::StatusOr<std::unique_ptr<ServerCore>> Create(Options options, Placement placement);

  // Handles one request of `stream`. Replies that are due now, to this stream or others, are
  // appended to `out`.
  void Handle(uint64_t stream, const ExchangeRequest& request, absl::Time now,
              std::vector<Outgoing>* out);
  // The stream is gone: nothing is sent to it any more.
  void OnStreamClosed(uint64_t stream) { waiting_.Forget(stream); }
  // Answers pulls whose deadline has passed; the answer names what is missing.
  void Tick(absl::Time now, std::vector<Outgoing>* out);

  const Options& options() const { return options_; }
  const Placement& placement() const { return placement_; }
  // Counters; the bytes are the caller's to fill in.
  v1::ServerStats Stats() const;
  // FailedPrecondition: another job, table or server.
  absl::StatusOr<v1::ReadTableReply> ReadTable(const v1::ReadTableRequest& request) const;
  // Cell `id` of this server (CHECK), or with kServerCell the server's own.
  static constexpr uint32_t kServerCell = ~uint32_t{0};
  Cell::State CellState(uint32_t id) const;
  // For checkpoints.
  Shard& shard() const { return *shard_; }

 private:
  // What is known of a worker's stream.
  struct Session {
    uint64_t number = 0;
    absl::Time last_heard;
    // Contributions to the current step that were answered RETRY_LATER (sync): tree node and cell
    // or bucket.
    std::set<std::pair<TreeNode, uint32_t>> refused;
    size_t row_bytes = 0;  // gradients of rows since the last final message
  };
  enum class Accepted { kAll, kRetryLater };

  // What a push has completed.
  struct Released {
    std::vector<ParkedPull> cells;
    std::vector<ParkedRows> rows;
  };

  ServerCore(Options options, Placement placement);
  absl::Status CheckFence(const ExchangeRequest& request, absl::Time now);
  // The worker's session; null if a newer stream has taken over since CheckFence (on another
  // thread).
  Session* CurrentSessionLocked(const ExchangeRequest& request) CONVOY_REQUIRES(mutex_);

  // `pushed`, and `pulled` below: the ids of each of the request's `rows` and `pull_rows`.
  absl::StatusOr<Accepted> Push(const ExchangeRequest& request, std::vector<RowIds> pushed,
                                ExchangeReply* reply, Released* released);
  void CountRows(const ExchangeRequest& request);
  absl::StatusOr<Accepted> PushRows(const ExchangeRequest& request, const RowContribution& rows,
                                    RowIds ids, ExchangeReply* reply, Released* released);
  // What the result for one cell, or bucket, means for the request. `number`: of the cell among all
  // cells and buckets.
  absl::StatusOr<Accepted> Count(const ExchangeRequest& request, uint32_t number,
                                 const PushResult& result, ExchangeReply* reply);
  absl::StatusOr<Accepted> FinishPush(const ExchangeRequest& request, ExchangeReply* reply,
                                      Released* released);
  absl::Status Gap(const ExchangeRequest& request, uint64_t expected, ExchangeReply* reply) const;
  // CLOCK_LEAVE_LAST: who leaves with the sender. Refuses what their processes still send.
  void LeaveLast(const ExchangeRequest& request) CONVOY_REQUIRES(clock_mutex_);
  void UpdateClock(const ExchangeRequest& request, std::vector<std::shared_ptr<PullTicket>>* ready);
  // Fills in the newest values: of a pull that waited for the clocks.
  void FillNewest(PullTicket& ticket) const;
  void Pull(uint64_t stream, const ExchangeRequest& request, std::vector<RowIds> pulled,
            absl::Time now, ExchangeReply reply, std::vector<Outgoing>* out);
  bool ParkOnClock(uint64_t stream, const ExchangeRequest& request, absl::Time now,
                   ExchangeReply* reply, std::vector<RowPlaces>* rows);
  void Answer(PullTicket& ticket, std::vector<Outgoing>* out);
  void CountDown(PullTicket& ticket, uint32_t by, std::vector<Outgoing>* out);
  std::string Describe(const PullTicket& ticket, absl::Time now) const;
  std::string DescribeWorker(uint32_t worker, absl::Time now) const;

  const Options options_;
  const Placement placement_;
  std::unique_ptr<Shard> shard_;
  const ConsistencyPolicy policy_;
  std::unique_ptr<const RequestCheck> check_;

  std::atomic<uint64_t> duplicates_{0}, retries_{0};

  mutable Mutex mutex_;
  std::map<uint32_t, Session> sessions_ CONVOY_GUARDED_BY(mutex_);
  StalenessHistogram staleness_histogram_;
  Staleness staleness_ CONVOY_GUARDED_BY(mutex_);

  WaitingPulls waiting_;

  mutable Mutex clock_mutex_;
  ClockTable clocks_ CONVOY_GUARDED_BY(clock_mutex_);
  // Of the newest CLOCK_LEAVE_LAST: ranks from which on sessions before that number have left, also
  // those whose CLOCK_JOIN is still on its way.
  uint32_t left_from_ CONVOY_GUARDED_BY(clock_mutex_) = std::numeric_limits<uint32_t>::max();
  uint64_t left_before_ CONVOY_GUARDED_BY(clock_mutex_) = 0;
  std::vector<std::shared_ptr<PullTicket>> waiting_for_clock_ CONVOY_GUARDED_BY(clock_mutex_);
};

}  // namespace convoy

#endif  // CONVOY_PS_SERVER_CORE_H_
