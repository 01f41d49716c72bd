// How servers, workers and the launcher speak to the coordinator.
//
// Every call has a deadline. A call that got no answer because the connection broke is repeated;
// all of them may be repeated without harm. Unavailable after `unreachable_after` without contact:
// `coordinator at 127.0.0.1:1234 not reachable for 20 s`. Other errors are the coordinator's own:
// see CoordinatorCore.
#ifndef CONVOY_COMMON_NET_COORDINATOR_CLIENT_H_
#define CONVOY_COMMON_NET_COORDINATOR_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// May be used from any thread.
class CoordinatorClient {
 public:
  struct Options {
    std::string address;  // host:port
    // Time for another coordinator to take the place of one that has died.
    absl::Duration unreachable_after = absl::Seconds(20);
    absl::Duration connect_within = absl::Seconds(10);  // or unreachable_after, if that is less
    absl::Duration wait = absl::Seconds(1);  // a parked call is asked again after this time
  };

  // Connects. Unavailable: no coordinator there within connect_within.
  static absl::StatusOr<std::unique_ptr<CoordinatorClient>> Connect(Options options);
  // Stops the heartbeats.
  ~CoordinatorClient();

  // Gives `request` a nonce if it has none, and keeps the identity of the reply: the calls below
  // fill it in. A worker that a running job makes room for waits until there is some.
  absl::StatusOr<v1::RegisterReply> Register(v1::RegisterRequest request);
  // Waits until all processes of the job are ready. Keeps the generation for the calls below.
  absl::StatusOr<v1::Assignment> Ready(v1::ReadyRequest request);
  // The next data task, or `end`; waits for one of them unless `wait` is false (then the reply may
  // have neither). `completed`: as in NextTaskRequest.
  absl::StatusOr<v1::NextTaskReply> NextTask(uint64_t completed, bool wait = true);
  // The task after the one that was begun, see NextTaskRequest.ahead. Cancelled: by another thread,
  // with CancelTaskAhead, for good.
  absl::StatusOr<v1::NextTaskReply> TaskAhead(uint64_t completed);
  void CancelTaskAhead();
  absl::Status Report(v1::ReportRequest request);
  // One heartbeat, e.g. a process's last words.
  absl::StatusOr<v1::HeartbeatReply> Heartbeat(v1::HeartbeatRequest request);
  // Waits for news at most Options::wait. Cancelled: CancelProgress. One call at a time.
  absl::StatusOr<v1::GetProgressReply> GetProgress(uint64_t events_seen, uint64_t seen);
  // Ends the GetProgress under way or, if there is none, the next one.
  void CancelProgress();
  // Asks for an orderly stop or, with `failure`, tells that the job can't go on.
  absl::Status Stop(const std::string& reason, const std::string& failure = "");
  // A process of the job has died: what is to be done? `cause`: how, for people.
  absl::StatusOr<v1::ProcessLostReply> ProcessLost(v1::Role role, uint32_t rank, uint64_t pid,
                                                   const std::string& cause);

  // Asks for a checkpoint of now (`ticket` 0), or waits for the one that was asked for, at most
  // Options::wait. Aborted: it could not be saved.
  absl::StatusOr<v1::SaveCheckpointReply> SaveCheckpoint(uint64_t ticket);
  // The job is to go on with so many workers. InvalidArgument: not with so many.
  // FailedPrecondition: not this job, or not any more. Aborted: not now, ask again.
  absl::Status Scale(uint32_t workers);

  // Fills what the process has to say: step, activity, finished, ... Called before each heartbeat.
  using Fill = std::function<void(v1::HeartbeatRequest*)>;
  // Hears each answer. An error is the last one: no heartbeat follows, nor one after DONE or
  // FAILED.
  using OnReply = std::function<void(const absl::StatusOr<v1::HeartbeatReply>&)>;
  // Starts a thread that sends a heartbeat at least every `period` and hears of changes at once. It
  // makes both calls and holds no lock meanwhile. Call after Register, at most once.
  void StartHeartbeats(absl::Duration period, Fill fill, OnReply on_reply);
  // There is something to say: sends a heartbeat now.
  void HeartbeatNow();
  // Ends the thread, a call under way included. Not from the callbacks.
  void StopHeartbeats();

 private:
  class Impl;
  explicit CoordinatorClient(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_COORDINATOR_CLIENT_H_
