#include "launcher/coordinator/coordinator_service.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstddef>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/grpc_time.h"
#include "common/net/host_name.h"
#include "common/net/listen_address.h"
#include "common/status.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/coordinator_service_impl.h"
#include "launcher/coordinator/journaled_core.h"
#include "launcher/coordinator/unary_call.h"

namespace convoy {
namespace {

// Reports carry scores for AUC, up to some bytes an example.
constexpr int kMaxMessageBytes = 256 << 20;
constexpr absl::Duration kShutdownGrace = absl::Seconds(1);

}  // namespace

// ------------------------------------------------------------------------------ calls

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
  WakeLocked();
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
    may_be_done_.WaitFor(
        mutex_, std::min({left, std::max(grace_left, absl::Milliseconds(1)), absl::Hours(1)}));
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
    WakeLocked();
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
