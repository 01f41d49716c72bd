// A worker's view of the servers: its copy of the weights, pulls that fill it, pushes that leave
// while the gradient is still being computed. ClientCore on real streams.
//
// No thread of its own: progress is made by the caller, in Poll between pieces of work and in the
// waits. One thread at a time.
#ifndef CONVOY_WORKER_PARAMETER_CLIENT_H_
#define CONVOY_WORKER_PARAMETER_CLIENT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mode.h"
#include "common/net/stream_client.h"
#include "common/optimizers/frozen.h"
#include "common/placement/placement.h"
#include "common/rehearsal/fault.h"
#include "common/rehearsal/link_limit.h"
#include "proto/coordinator.pb.h"
#include "worker/client_core.h"
#include "worker/table_batch.h"
#include "worker/weight_copy.h"

namespace convoy {

class ParameterClient {
 public:
  struct Options {
    uint64_t job_id = 0;
    uint64_t generation = 1;
    uint32_t worker = 0;
    uint64_t first_session = 1;        // see ClientCore
    std::vector<std::string> servers;  // addresses by rank
    Mode mode;
    size_t in_flight_bytes = size_t{2} << 20;
    absl::Duration wait_timeout = absl::Seconds(60);
    absl::Duration give_up_after = absl::Seconds(10);
    // How long a wait asks for the next reply again and again before the thread sleeps.
    absl::Duration spin = absl::ZeroDuration();
    // Asked now and then while waiting; an error ends the wait (the job was stopped or has failed).
    std::function<absl::Status()> interrupted = [] { return absl::OkStatus(); };
    // Compute on while the pull of the last push is under way: weights are then one push of this
    // worker older (async).
    bool overlap = false;
    bool checksums = false;                    // cluster.wire_checksums
    LinkLimit link;                            // rehearsal.link
    PushFaults faults = PushFaults({}, 0, 0);  // rehearsal.fault
    // Nothing is pushed for these, and they are pulled only by PullAll: they never change.
    FrozenParts frozen;
    // Small contributions to one server are put together up to this.
    size_t coalesce_bytes = size_t{64} << 10;
  };

  // What a push is a part of; see ExchangeRequest.
  struct PushHeader {
    uint64_t step = 0;
    TreeNode node;
    uint64_t task = 0;
    uint64_t batch = 0;
    uint32_t examples = 0;
    uint64_t clock = 0;
    // Also ask for the weights after it: sync, those of step + 1; other modes, the newest.
    bool pull = false;
  };

  // Unavailable: a server can't be reached; says which worker, server and address.
  static absl::StatusOr<std::unique_ptr<ParameterClient>> Connect(Options options,
                                                                  Placement placement);

  const Placement& placement() const { return placement_; }
  bool overlap() const { return options_.overlap; }
  const FrozenParts& frozen() const { return options_.frozen; }

  // Asks for all weights at `version` (sync) or the newest. `header` may carry a clock event.
  absl::Status PullAll(uint64_t version, ExchangeRequest header = {});
  // Waits until no pull of the variable is under way (`overlap`: but for that of the last push),
  // then returns its values, row-major, 64-byte aligned. With `overlap` they change in calls for
  // this variable only, so that a batch computes with the same weights forward and backward.
  absl::StatusOr<std::span<const float>> Weights(uint32_t variable);
  absl::Status WaitForWeights();
  // local_sgd, geo: asks for what the variables are held near (optimizer.anchor) and waits until it
  // is in `anchors`, by variable; empty: not wanted. Internal: the servers have none.
  absl::Status PullAnchors(const std::vector<std::span<float>>& anchors);
  // Modes with steps, in the place of a worker that was lost: asks the servers. Every one has
  // applied the steps below this one, and some have not applied this one; they remember its version
  // as long as a slice of it is missing. The other one can't push any more.
  absl::StatusOr<uint64_t> AskForStep();

  // Asks for the rows of the batch at `version` (sync) or the newest.
  absl::Status PullRows(const std::shared_ptr<TableBatch>& batch, uint64_t version);
  absl::Status WaitForRows(const TableBatch& batch);
  // The gradients of the batch's rows are final: they leave, with the push that has begun. Once for
  // each table.
  absl::Status PushRows(TableBatch& batch);

  absl::Status BeginPush(const PushHeader& header);
  // Elements [.., end) of the gradient of `variable` are final; `gradient` is all of it and is kept
  // by `owner` until everything has been sent. Blocks that are complete leave. Ascending within a
  // variable.
  absl::Status PushUpTo(uint32_t variable, int64_t end, std::span<const float> gradient,
                        const std::shared_ptr<const void>& owner);
  // The push stands for fewer examples after all (some were skipped). Only before the first block
  // has left.
  void RemoveExamples(uint32_t examples);
  // Variables not named have no gradient. Every server is told that the push is complete.
  absl::Status EndPush();
  // Waits until every request has been answered.
  absl::Status WaitUntilAnswered();
  // ssp: this worker holds no task.
  absl::Status LeaveClocks() { return LeaveClocks(ClockEvent::kLeave, 0); }
  // Nor do those of rank `workers` and above that were there before.
  absl::Status LeaveClocksWithThoseFrom(uint32_t workers) {
    return LeaveClocks(ClockEvent::kLeaveLast, workers);
  }
  // async, ssp, geo: see ExchangeRequest::completed_task; sent with a push, of several with one
  // each.
  void AddCompletedTask(uint64_t task) { completed_tasks_.push_back(task); }

  // Makes progress without waiting.
  absl::Status Poll();
  // Makes progress until `done` or an error.
  absl::Status WaitUntil(const std::function<bool()>& done);

  // Staleness of this worker's gradients since the last call.
  Staleness TakeStaleness();
  // sync,backup: pushes that came too late for their step on at least one server, since the last
  // call.
  uint64_t TakeDropped() { return std::exchange(gone_, {}).size(); }
  // See ClientCore.
  uint64_t applied_step() const { return core_.applied_step(); }
  uint64_t bytes_sent() const { return streams_.bytes_sent(); }
  uint64_t bytes_received() const { return streams_.bytes_received(); }
  // Pushes that Options::faults hit.
  const v1::PushFaultCounts& push_faults() const { return push_faults_; }
  absl::Time connected_at() const { return connected_at_; }
  // Time spent in waits since then, those included that AddWait told of.
  absl::Duration waited() const { return waited_; }
  void AddWait(absl::Duration time) { waited_ += time; }

 private:
  absl::Status LeaveClocks(ClockEvent event, uint32_t workers);
  // Contributions to one server that wait for company.
  struct Pending {
    ExchangeRequest request;
    size_t bytes = 0;
    size_t named = 0;       // cells of the server, and tables, named in this push so far
    bool finished = false;  // `final` is on its way
  };

  ParameterClient(Options options, Placement placement);
  ExchangeRequest NewRequest() const;
  void AddToPending(const CellSpec& cell, std::span<const float> gradient,
                    const std::shared_ptr<const void>& owner);
  absl::Status FlushPending(uint32_t server, bool final);
  // Cells of the server, and tables, that no push names.
  size_t Frozen(uint32_t server) const;
  // All cells and tables of the server are named that are not frozen.
  bool IsComplete(uint32_t server) const;
  absl::StatusOr<uint64_t> Submit(uint32_t server, ExchangeRequest&& request);
  // Submits `request`, which then also pulls as many of `cells` as are about one block with what it
  // pulls already, and behind it requests that pull the others.
  absl::Status SubmitPulls(uint32_t server, ExchangeRequest&& request,
                           std::span<const uint32_t> cells);
  absl::Status Perform(const ClientCore::Actions& actions);
  void Send(uint32_t server, const ExchangeRequest& request);
  absl::Status OnEvent(const StreamClient::Event& event);
  absl::Status OnCompleted(const ExchangeRequest& request, const ExchangeReply& reply);
  absl::Status OnCell(const CellValues& values);
  absl::Status OnAnchors(const CellSpec& cell, const ExchangeReply& reply);
  absl::Status OnRows(const ExchangeRequest& request, const ExchangeReply& reply);
  absl::StatusOr<uint64_t> AskOnceForStep();
  // Handles the next event, waiting for it until `deadline`. False: none came.
  absl::StatusOr<bool> HandleOne(absl::Time deadline);
  // Makes progress without waiting until all messages have left. What comes later stays where it
  // is: to look for what is not there costs a system call, and to fetch a part of it another one.
  absl::Status PollUntilSent();
  // Retries, reconnects and deadlines that are due.
  absl::Status Tick();

  const Options options_;
  const Placement placement_;
  ClientCore core_;
  StreamClient streams_;

  WeightCopy weights_;
  // Pulls of rows under way, by request: a part of a batch.
  absl::flat_hash_map<uint64_t, std::pair<std::shared_ptr<TableBatch>, size_t>> row_pulls_;
  std::vector<uint32_t> awaited_;          // pulls under way, by variable
  std::vector<std::span<float>> anchors_;  // by variable: where they go, in PullAnchors
  bool last_push_pulls_ = false;           // the newest pulls were asked with a push
  uint64_t awaited_in_all_ = 0;
  Staleness staleness_;
  std::set<std::pair<uint64_t, TreeNode>> gone_;  // steps and nodes

  PushHeader push_;
  std::vector<int64_t> pushed_to_;  // by variable: elements handed over in this push
  std::vector<bool> pull_asked_;    // by cell: in this push
  std::vector<Pending> pending_;    // by server
  std::vector<uint64_t> sent_to_;   // by server: the last request that was sent for the first time
  std::vector<absl::Status> damage_;  // by server: of a reply, for which the stream was closed
  v1::PushFaultCounts push_faults_;
  std::deque<uint64_t> completed_tasks_;  // that servers have not been told of
  uint64_t lowest_step_ = 0;              // that a server has named, see AskForStep
  absl::Time connected_at_;
  absl::Duration waited_;
  size_t unsent_bytes_ = 0;    // handed over since the last PollUntilSent or Poll
  size_t unpolled_bytes_ = 0;  // ... since the last Poll
};

}  // namespace convoy

#endif  // CONVOY_WORKER_PARAMETER_CLIENT_H_
