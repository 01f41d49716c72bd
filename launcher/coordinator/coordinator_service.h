// The coordinator as a gRPC server: decodes calls, asks CoordinatorCore, finishes the calls that it
// answers, now or later. No RPC thread ever waits.
#ifndef CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_SERVICE_H_
#define CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "launcher/coordinator/coordinator_core.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// May be used from any thread.
class CoordinatorService {
 public:
  struct Options {
    v1::Job job;                         // resolved
    uint64_t job_id = 0;                 // random, not 0
    std::string listen = "127.0.0.1:0";  // host:port; port 0: any
    bool insecure_listen = false;        // allow another address than loopback
    // Called with every line of events.jsonl, in order, from one thread of the service.
    std::function<void(const std::string& line)> on_event = [](const std::string&) {};
    // Saves the final weights of the servers, which still run, or those of the checkpoint in the
    // folder `from` if it is not empty. Called once, from another thread of the service; its error
    // fails the job. Must come to an end by itself.
    std::function<absl::Status(const v1::Assignment&, const std::string& from)> save_model =
        [](const v1::Assignment&, const std::string&) { return absl::OkStatus(); };
    // Gives a checkpoint its manifest and its name, and removes old ones. Called from the thread of
    // save_model; its error is reported, and the job goes on.
    std::function<absl::Status(const CheckpointManifest&, const std::string& folder)>
        commit_checkpoint =
            [](const CheckpointManifest&, const std::string&) { return absl::OkStatus(); };
    // As CoordinatorCore::Options.
    std::string checkpoints;
    std::optional<ResumePoint> resume;
    EarlierLives earlier;
    bool fixed_workers = false;
    // Path of the journal; empty: none is kept, and nobody can go on in this one's place.
    std::string journal;
    // Another coordinator wrote the journal, and this one goes on in its place: job, job_id,
    // checkpoints, resume, earlier and fixed_workers are those of the journal. Lines of
    // events.jsonl after the first `events_delivered` are delivered.
    bool recover = false;
    uint64_t events_delivered = 0;
    // See PlanInitFunction; called under a lock, must not wait.
    PlanInitFunction plan_init;
    // See AdmitFunction; called under a lock, must not wait. Empty: every job may begin.
    AdmitFunction admit;
    const Clock* clock = &Clock::Real();
  };

  // InvalidArgument: the job, or an address that is not loopback without insecure_listen.
  // Unavailable: the address can't be listened on, e.g. because it is in use. With a journal also
  // as JournaledCore.
  static absl::StatusOr<std::unique_ptr<CoordinatorService>> Start(Options options);
  // Stops.
  ~CoordinatorService();

  // host:port that was bound.
  const std::string& address() const;
  // Fails the job from outside, e.g. because a process of it was killed. No effect once it has
  // ended.
  void Fail(std::string_view failure);
  // Waits until the job has ended, its last event was delivered, and its processes know of the end
  // (those that do not ask for it are waited for no longer than `grace` from the end). False: not
  // within `timeout`.
  bool WaitUntilEnded(absl::Duration timeout, absl::Duration grace = absl::Seconds(2));
  // What an observer is told now, see GetProgressRequest.events_seen.
  v1::GetProgressReply Look(uint64_t events_seen);
  // In phase DONE or FAILED: contents of summary.json, and why the job failed ("": it did not).
  std::string summary() const;
  std::string failure() const;

  // Answers what is parked with Unavailable, delivers the remaining events, waits for save_model if
  // it runs, and joins all threads.
  void Stop();

 private:
  class Impl;
  explicit CoordinatorService(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_SERVICE_H_
