#include "launcher/coordinator/coordinator_service.h"

#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/grpc_time.h"
#include "common/net/host_name.h"
#include "common/net/listen_address.h"
#include "common/net/reflection_service.h"
#include "common/status.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/held_answers.h"
#include "launcher/coordinator/journaled_core.h"
#include "launcher/coordinator/unary_call.h"
#include "proto/coordinator.grpc.pb.h"

namespace convoy {
namespace {

// Reports carry scores for AUC, up to some bytes an example.
constexpr int kMaxMessageBytes = 256 << 20;
constexpr absl::Duration kShutdownGrace = absl::Seconds(1);
// After which people are told that the disk is slow.
constexpr absl::Duration kSlowSync = absl::Seconds(1);

// As long as calls are parked at most: a third of what makes a process count as lost.
absl::Duration PatienceWithTheDisk(const CoordinatorCore& core) {
  return std::min(kSlowSync, core.lost_after() / 3);
}

}  // namespace

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
  // Calls that can be finished once the lock is released.
  using Finished = AnsweredCalls;

  template <typename Request>
  Reactor* Handle(Actions (CoordinatorCore::*event)(CallId, const Request&, absl::Time),
                  const Request& request, google::protobuf::Message* reply) CONVOY_EXCLUDES(mutex_);
  void Cancelled(CallId id) CONVOY_EXCLUDES(mutex_);
  [[nodiscard]] Finished ApplyLocked(Actions actions) CONVOY_REQUIRES(mutex_);
  // At once, or as soon as the journal is on the disk.
  void Deliver(Finished finished) CONVOY_EXCLUDES(mutex_);
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
  CondVar changed_;
  const std::unique_ptr<JournaledCore> core_ CONVOY_GUARDED_BY(mutex_);
  CallId last_call_ CONVOY_GUARDED_BY(mutex_);
  std::unordered_map<CallId, UnaryCall*> calls_ CONVOY_GUARDED_BY(mutex_);
  HeldAnswers held_ CONVOY_GUARDED_BY(mutex_);
  std::deque<std::string> events_ CONVOY_GUARDED_BY(mutex_);  // not yet delivered
  bool delivering_ CONVOY_GUARDED_BY(mutex_) = false;
  std::deque<Saving> to_save_ CONVOY_GUARDED_BY(mutex_);
  std::optional<absl::Time> ended_ CONVOY_GUARDED_BY(mutex_);
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;

  std::thread ticker_;
  std::thread saver_;
  std::thread syncer_;     // of the journal
  std::thread deliverer_;  // of events
};

// ------------------------------------------------------------------------------ calls

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

void CoordinatorService::Impl::Cancelled(CallId id) {
  UnaryCall* call = nullptr;
  {
    MutexLock lock(mutex_);
    const auto it = calls_.find(id);
    if (it == calls_.end()) return;  // Already answered.
    call = it->second;
    calls_.erase(it);
    core_->OnCancelled(id, options_.clock->Now());
  }
  call->Deliver(absl::CancelledError("the caller has gone"));
}

CoordinatorService::Impl::Finished CoordinatorService::Impl::ApplyLocked(Actions actions) {
  Finished finished;
  for (Actions::Answer& answer : actions.answers) {
    const auto it = calls_.find(answer.call);
    if (it == calls_.end()) continue;
    finished.emplace_back(it->second, std::move(answer.reply));
    calls_.erase(it);
  }
  for (std::string& line : actions.events) events_.push_back(std::move(line));
  if (actions.commit) to_save_.push_back({{}, std::move(actions.commit), {}});
  if (actions.save_model) {
    to_save_.push_back({std::move(actions.save_model), {}, {}, std::move(actions.model_from)});
  }
  if (!actions.discard.empty()) to_save_.push_back({{}, {}, std::move(actions.discard)});
  if (core_->core().ended() && !ended_) ended_ = options_.clock->Now();
  changed_.NotifyAll();
  return finished;
}

void CoordinatorService::Impl::Deliver(Finished finished) {
  {
    MutexLock lock(mutex_);
    finished = held_.Hold(std::move(finished), core_->to_sync() != 0 && !stopping_);
  }
  DeliverNow(std::move(finished));
}

void CoordinatorService::Impl::DeliverNow(Finished finished) {
  for (auto& [call, reply] : finished) call->Deliver(std::move(reply));
}

// ------------------------------------------------------------------------------ threads

void CoordinatorService::Impl::RunTicker() {
  pthread_setname_np(pthread_self(), "coord-ticker");
  for (;;) {
    Finished finished, late;
    {
      MutexLock lock(mutex_);
      if (!stopping_) SleepLocked();
      if (stopping_) return;
      const absl::Time now = options_.clock->Now();
      if (core_->NextDeadline() <= now) finished = ApplyLocked(core_->Tick(now));
      late = held_.TakeLate(SteadyNow());
      if (held_.SyncingFor(SteadyNow()) >= kSlowSync) {
        for (auto& answered : ApplyLocked(core_->NoteSlowDisk(now)))
          finished.push_back(std::move(answered));
      }
    }
    DeliverNow(std::move(late));
    Deliver(std::move(finished));
  }
}

void CoordinatorService::Impl::SleepLocked() {
  const absl::Duration until = core_->NextDeadline() - options_.clock->Now();
  if (until <= absl::ZeroDuration()) return;
  const absl::Time asleep = SteadyNow();
  // A sync of the journal may begin at any time, and becomes late.
  const absl::Duration late = std::max(held_.deadline() - SteadyNow(), absl::ZeroDuration());
  const absl::Duration sleep = std::min({until, late, held_.patience() / 4});
  changed_.WaitFor(mutex_, sleep);
  // A process that was stopped finds its deadlines gone by and the signs of life not yet read.
  if (SteadyNow() - asleep > sleep + core_->core().lost_after() / 3) {
    core_->OnOverslept(options_.clock->Now());
  }
}

// What the coordinator decided is on the disk before anybody hears of it, but for a disk that takes
// its time (held_answers.h).
void CoordinatorService::Impl::RunSyncer() {
  pthread_setname_np(pthread_self(), "coord-journal");
  for (;;) {
    std::shared_ptr<const Journal> journal;
    uint64_t size = 0;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && core_->to_sync() == 0 && held_.empty()) changed_.Wait(mutex_);
      if (core_->to_sync() == 0 && held_.empty()) return;
      held_.SyncBegins(SteadyNow());
      journal = core_->journal();
      if (journal != nullptr) size = journal->size();
    }
    const absl::Status synced = journal != nullptr ? journal->Sync() : absl::OkStatus();
    Finished finished;
    {
      MutexLock lock(mutex_);
      if (journal != nullptr) core_->OnSynced(synced, size, options_.clock->Now());
      finished = held_.SyncEnded();
      changed_.NotifyAll();
    }
    DeliverNow(std::move(finished));
  }
}

// A thread of its own: a screen that stands still (Ctrl-S, a full pipe) holds up nothing else.
void CoordinatorService::Impl::RunEvents() {
  pthread_setname_np(pthread_self(), "coord-events");
  for (;;) {
    std::deque<std::string> lines;
    {
      MutexLock lock(mutex_);
      delivering_ = false;
      changed_.NotifyAll();
      while (!stopping_ && events_.empty()) changed_.Wait(mutex_);
      if (events_.empty()) return;
      lines.swap(events_);
      delivering_ = true;
    }
    for (const std::string& line : lines) options_.on_event(line);
  }
}

void CoordinatorService::Impl::RunSaver() {
  pthread_setname_np(pthread_self(), "coord-save");
  while (const std::optional<Saving> saving = AwaitSaving()) Save(*saving);
}

std::optional<CoordinatorService::Impl::Saving> CoordinatorService::Impl::AwaitSaving() {
  MutexLock lock(mutex_);
  while (!stopping_ && (to_save_.empty() || core_->to_sync() != 0)) changed_.Wait(mutex_);
  if (stopping_) return std::nullopt;
  Saving saving = std::move(to_save_.front());
  to_save_.pop_front();
  return saving;
}

void CoordinatorService::Impl::Save(const Saving& saving) {
  if (!saving.discard.empty()) {
    // A server may still be writing there: what is left goes when the job goes on.
    std::error_code ignored;
    std::filesystem::remove_all(saving.discard, ignored);
    return;
  }
  const absl::Status status = saving.model ? options_.save_model(*saving.model, saving.model_from)
                                           : options_.commit_checkpoint(saving.checkpoint->manifest,
                                                                        saving.checkpoint->folder);
  Finished finished;
  {
    MutexLock lock(mutex_);
    const absl::Time now = options_.clock->Now();
    finished = ApplyLocked(saving.model ? core_->OnModelSaved(status, now)
                                        : core_->OnCheckpointCommitted(status, now));
  }
  Deliver(std::move(finished));
}

// ------------------------------------------------------------------------------ owner's calls

void CoordinatorService::Impl::GoOn() {
  MutexLock lock(mutex_);
  core_->NoteAddress(address_, options_.clock->Now());
  Actions actions = core_->TakeOutstanding();
  actions.events = core_->TakeLines();
  const auto known = std::min<uint64_t>(options_.events_delivered, actions.events.size());
  actions.events.erase(actions.events.begin(),
                       actions.events.begin() + static_cast<std::ptrdiff_t>(known));
  const Finished none = ApplyLocked(std::move(actions));  // nobody has called yet
}

absl::Status CoordinatorService::Impl::Listen() {
  std::string listen = options_.listen;
  {
    MutexLock lock(mutex_);
    if (listen.ends_with(":0") && !core_->address().empty()) listen = core_->address();
  }
  CONVOY_RETURN_IF_ERROR(CheckListenAddress(listen, options_.insecure_listen));
  grpc::EnableDefaultHealthCheckService(true);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  builder.RegisterCallbackGenericService(&reflection_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("the coordinator can't listen on ", listen,
                                               ": is the port in use? Port 0 takes a free one"));
  }
  address_ = listen.substr(0, listen.rfind(':') + 1) + std::to_string(port);
  GoOn();
  ticker_ = std::thread([this] { RunTicker(); });
  saver_ = std::thread([this] { RunSaver(); });
  syncer_ = std::thread([this] { RunSyncer(); });
  deliverer_ = std::thread([this] { RunEvents(); });
  return absl::OkStatus();
}

void CoordinatorService::Impl::Fail(std::string_view failure) {
  Finished finished;
  {
    MutexLock lock(mutex_);
    finished = ApplyLocked(core_->Fail(failure, options_.clock->Now()));
  }
  Deliver(std::move(finished));
}

bool CoordinatorService::Impl::AllDoneLocked(absl::Duration grace) {
  if (!ended_ || !events_.empty() || delivering_) return false;
  return core_->core().everybody_told() || options_.clock->Now() >= *ended_ + grace;
}

bool CoordinatorService::Impl::WaitUntilEnded(absl::Duration timeout, absl::Duration grace) {
  const absl::Time give_up = SteadyNow() + timeout;
  MutexLock lock(mutex_);
  while (!AllDoneLocked(grace)) {
    const absl::Duration left = give_up - SteadyNow();
    if (left <= absl::ZeroDuration()) return false;
    const absl::Duration grace_left =
        ended_ ? *ended_ + grace - options_.clock->Now() : absl::InfiniteDuration();
    changed_.WaitFor(mutex_,
                     std::min({left, std::max(grace_left, absl::Milliseconds(1)), absl::Hours(1)}));
  }
  return true;
}

v1::GetProgressReply CoordinatorService::Impl::Look(uint64_t events_seen) {
  MutexLock lock(mutex_);
  return core_->Look(events_seen, options_.clock->Now());
}

std::string CoordinatorService::Impl::summary() const {
  MutexLock lock(mutex_);
  return core_->core().summary();
}

std::string CoordinatorService::Impl::failure() const {
  MutexLock lock(mutex_);
  return core_->core().failure();
}

void CoordinatorService::Impl::Stop() {
  Finished finished;
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    for (const auto& [id, call] : calls_) {
      finished.emplace_back(call, absl::UnavailableError("the coordinator stops"));
    }
    calls_.clear();
    changed_.NotifyAll();
  }
  Deliver(std::move(finished));
  if (server_ != nullptr) {
    server_->Shutdown(net_internal::GprTime(SteadyNow() + kShutdownGrace));
    server_->Wait();
  }
  if (ticker_.joinable()) ticker_.join();
  if (saver_.joinable()) saver_.join();
  if (syncer_.joinable()) syncer_.join();
  if (deliverer_.joinable()) deliverer_.join();
}

absl::StatusOr<std::unique_ptr<CoordinatorService>> CoordinatorService::Start(Options options) {
  const absl::Time now = options.clock->Now();
  CONVOY_ASSIGN_OR_RETURN(
      auto core,
      options.recover
          ? JournaledCore::Recover(options.journal, options.admit, options.plan_init, now)
          : JournaledCore::Create(
                {options.job, options.job_id, now, HostName(), options.admit, options.checkpoints,
                 options.plan_init, options.resume, options.earlier, options.fixed_workers},
                options.journal, options.clock == &Clock::Real() ? SteadyMark() : ""));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(core));
  CONVOY_RETURN_IF_ERROR(impl->Listen());
  return std::unique_ptr<CoordinatorService>(new CoordinatorService(std::move(impl)));
}

CoordinatorService::CoordinatorService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CoordinatorService::~CoordinatorService() { Stop(); }
const std::string& CoordinatorService::address() const { return impl_->address(); }
void CoordinatorService::Fail(std::string_view failure) { impl_->Fail(failure); }
bool CoordinatorService::WaitUntilEnded(absl::Duration timeout, absl::Duration grace) {
  return impl_->WaitUntilEnded(timeout, grace);
}
v1::GetProgressReply CoordinatorService::Look(uint64_t events_seen) {
  return impl_->Look(events_seen);
}
std::string CoordinatorService::summary() const { return impl_->summary(); }
std::string CoordinatorService::failure() const { return impl_->failure(); }
void CoordinatorService::Stop() { impl_->Stop(); }

}  // namespace convoy
