// What CoordinatorService consists of: the calls of the others, those of its owner, and its threads
// (coordinator_threads.cc), all of which share the logic and its lock. Internal to the service.
#ifndef CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_SERVICE_IMPL_H_
#define CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_SERVICE_IMPL_H_

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "common/net/reflection_service.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/coordinator_service.h"
#include "launcher/coordinator/held_answers.h"
#include "launcher/coordinator/journaled_core.h"
#include "launcher/coordinator/unary_call.h"
#include "proto/coordinator.grpc.pb.h"

namespace convoy {

class CoordinatorService::Impl final : public v1::Coordinator::CallbackService {
 public:
  Impl(Options options, std::unique_ptr<JournaledCore> core)
      : options_(std::move(options)),
        core_(std::move(core)),
        last_call_(core_->last_call()),
        held_(PatienceWithTheDisk(core_->core())) {}

  absl::Status Listen() CONVOY_EXCLUDES(mutex_);
  const std::string& address() const { return address_; }
  void Fail(std::string_view failure);
  bool WaitUntilEnded(absl::Duration timeout, absl::Duration grace);
  v1::GetProgressReply Look(uint64_t events_seen);
  std::string summary() const;
  std::string failure() const;
  void Stop();

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  Reactor* Register(Context*, const v1::RegisterRequest* request,
                    v1::RegisterReply* reply) override {
    return Handle(&CoordinatorCore::OnRegister, *request, reply);
  }
  Reactor* Ready(Context*, const v1::ReadyRequest* request, v1::Assignment* reply) override {
    return Handle(&CoordinatorCore::OnReady, *request, reply);
  }
  Reactor* Heartbeat(Context*, const v1::HeartbeatRequest* request,
                     v1::HeartbeatReply* reply) override {
    return Handle(&CoordinatorCore::OnHeartbeat, *request, reply);
  }
  Reactor* NextTask(Context*, const v1::NextTaskRequest* request,
                    v1::NextTaskReply* reply) override {
    return Handle(&CoordinatorCore::OnNextTask, *request, reply);
  }
  Reactor* Report(Context*, const v1::ReportRequest* request, v1::ReportReply* reply) override {
    return Handle(&CoordinatorCore::OnReport, *request, reply);
  }
  Reactor* GetProgress(Context*, const v1::GetProgressRequest* request,
                       v1::GetProgressReply* reply) override {
    return Handle(&CoordinatorCore::OnGetProgress, *request, reply);
  }
  Reactor* Stop(Context*, const v1::StopRequest* request, v1::StopReply* reply) override {
    return Handle(&CoordinatorCore::OnStop, *request, reply);
  }
  Reactor* SaveCheckpoint(Context*, const v1::SaveCheckpointRequest* request,
                          v1::SaveCheckpointReply* reply) override {
    return Handle(&CoordinatorCore::OnSaveCheckpoint, *request, reply);
  }
  Reactor* ProcessLost(Context*, const v1::ProcessLostRequest* request,
                       v1::ProcessLostReply* reply) override {
    return Handle(&CoordinatorCore::OnProcessLost, *request, reply);
  }
  Reactor* Scale(Context*, const v1::ScaleRequest* request, v1::ScaleReply* reply) override {
    return Handle(&CoordinatorCore::OnScale, *request, reply);
  }

 private:
  // After which people are told that the disk is slow.
  static constexpr absl::Duration kSlowSync = absl::Seconds(1);

  // As long as calls are parked at most: a third of what makes a process count as lost.
  static absl::Duration PatienceWithTheDisk(const CoordinatorCore& core) {
    return std::min(kSlowSync, core.lost_after() / 3);
  }

  // Calls that can be finished once the lock is released.
  using Finished = AnsweredCalls;

  template <typename Request>
  Reactor* Handle(Actions (CoordinatorCore::*event)(CallId, const Request&, absl::Time),
                  const Request& request, google::protobuf::Message* reply) CONVOY_EXCLUDES(mutex_);
  void Cancelled(CallId id) CONVOY_EXCLUDES(mutex_);
  [[nodiscard]] Finished ApplyLocked(Actions actions) CONVOY_REQUIRES(mutex_);
  // At once, or as soon as the journal is on the disk.
  void Deliver(Finished finished) CONVOY_EXCLUDES(mutex_);
  // Those threads that have something to do. Most calls are nothing to any of them, and a task of
  // data waits for its calls.
  void WakeLocked() CONVOY_REQUIRES(mutex_);
  static void DeliverNow(Finished finished);
  void RunSyncer() CONVOY_EXCLUDES(mutex_);
  // Does what a coordinator before this one was to do.
  void GoOn() CONVOY_EXCLUDES(mutex_);
  void RunTicker() CONVOY_EXCLUDES(mutex_);
  void RunEvents() CONVOY_EXCLUDES(mutex_);
  void SleepLocked() CONVOY_REQUIRES(mutex_);
  void RunSaver() CONVOY_EXCLUDES(mutex_);
  // What the saver is to do: one of them.
  struct Saving {
    std::optional<v1::Assignment> model;
    std::optional<Actions::Commit> checkpoint;
    std::string discard;
    std::string model_from{};
  };
  std::optional<Saving> AwaitSaving() CONVOY_EXCLUDES(mutex_);
  void Save(const Saving& saving) CONVOY_EXCLUDES(mutex_);
  bool AllDoneLocked(absl::Duration grace) CONVOY_REQUIRES(mutex_);

  const Options options_;
  std::string address_;
  ReflectionService reflection_{{v1::Coordinator::service_full_name(), "grpc.health.v1.Health"}};
  std::unique_ptr<grpc::Server> server_;

  mutable Mutex mutex_;
  CondVar time_may_go_by_, may_sync_, may_deliver_, may_save_;  // one thread waits for each
  CondVar may_be_done_;                                         // the owner
  const std::unique_ptr<JournaledCore> core_ CONVOY_GUARDED_BY(mutex_);
  CallId last_call_ CONVOY_GUARDED_BY(mutex_);
  std::unordered_map<CallId, UnaryCall*> calls_ CONVOY_GUARDED_BY(mutex_);
  HeldAnswers held_ CONVOY_GUARDED_BY(mutex_);
  std::deque<std::string> events_ CONVOY_GUARDED_BY(mutex_);  // not yet delivered
  bool delivering_ CONVOY_GUARDED_BY(mutex_) = false;
  std::deque<Saving> to_save_ CONVOY_GUARDED_BY(mutex_);
  std::optional<absl::Time> ended_ CONVOY_GUARDED_BY(mutex_);
  absl::Time awake_at_ CONVOY_GUARDED_BY(mutex_) = absl::InfinitePast();  // the ticker
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;

  std::thread ticker_;
  std::thread saver_;
  std::thread syncer_;     // of the journal
  std::thread deliverer_;  // of events
};

template <typename Request>
grpc::ServerUnaryReactor* CoordinatorService::Impl::Handle(
    Actions (CoordinatorCore::*event)(CallId, const Request&, absl::Time), const Request& request,
    google::protobuf::Message* reply) {
  UnaryCall* call = nullptr;
  Finished finished;
  {
    MutexLock lock(mutex_);
    const CallId id = ++last_call_;
    call = new UnaryCall(reply, [this, id] { Cancelled(id); });
    if (stopping_) {
      finished.emplace_back(call, absl::UnavailableError("the coordinator stops"));
    } else {
      calls_[id] = call;
      const absl::Time now = options_.clock->Now();
      finished = ApplyLocked(core_->On(event, id, request, now));
    }
  }
  Deliver(std::move(finished));
  return call;
}

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_COORDINATOR_SERVICE_IMPL_H_
