#include "common/net/coordinator_client.h"

#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/grpc_time.h"
#include "common/net/unary_call.h"
#include "common/status.h"
#include "proto/coordinator.grpc.pb.h"

namespace convoy {
namespace {

constexpr absl::Duration kFirstRetryPause = absl::Milliseconds(25);
constexpr absl::Duration kLongestRetryPause = absl::Milliseconds(200);
constexpr int kMaxMessageBytes = 64 << 20;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);  // also the time to connect
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

uint64_t RandomNonce() {
  std::random_device random;
  return uint64_t{random()} << 32 | random() | 1;
}

// A call that another thread may cancel.
class CancellableCall {
 public:
  // False: cancelled already. `context` must stay until Leave.
  bool Enter(grpc::ClientContext* context) CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!cancelled_) context_ = context;
    return !cancelled_;
  }
  void Leave() CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    context_ = nullptr;
  }
  void Cancel() CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    cancelled_ = true;
    if (context_ != nullptr) context_->TryCancel();  // Does not block.
    changed_.NotifyAll();
  }
  bool cancelled() CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return cancelled_;
  }
  void Reset() CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    cancelled_ = false;
  }
  // Waits before the next try; ends early when cancelled.
  void Pause(absl::Duration duration) CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!cancelled_) changed_.WaitFor(mutex_, duration);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  grpc::ClientContext* context_ CONVOY_GUARDED_BY(mutex_) = nullptr;
  bool cancelled_ CONVOY_GUARDED_BY(mutex_) = false;
};

}  // namespace

class CoordinatorClient::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}

  absl::Status AwaitConnection();
  absl::StatusOr<v1::RegisterReply> Register(v1::RegisterRequest request);
  absl::StatusOr<v1::Assignment> Ready(v1::ReadyRequest request);
  void RunHeartbeats(absl::Duration period, const Fill& fill, const OnReply& on_reply);
  void StopHeartbeats();

  template <typename Request, typename Reply>
  using Method = std::unique_ptr<grpc::ClientAsyncResponseReader<Reply>> (v1::Coordinator::Stub::*)(
      grpc::ClientContext*, const Request&, grpc::CompletionQueue*);
  // One call, repeated while the connection is broken. `wait`: how long the coordinator may park
  // it.
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Call(Method<Request, Reply> method, const Request& request,
                             absl::Duration wait, CancellableCall* call);
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Call(Method<Request, Reply> method, const Request& request,
                             absl::Duration wait) {
    CancellableCall call;
    return Call(method, request, wait, &call);
  }

  uint32_t wait_ms() const {
    return static_cast<uint32_t>(absl::ToInt64Milliseconds(options_.wait));
  }
  absl::Duration wait() const { return options_.wait; }
  v1::Identity identity() const {
    MutexLock lock(mutex_);
    return identity_;
  }

 private:
  friend class CoordinatorClient;

  absl::Status NotReachable(absl::Duration duration, const std::string& detail) const;
  bool stopping() const {
    MutexLock lock(mutex_);
    return stopping_;
  }

  std::shared_ptr<v1::Coordinator::Stub> stub() const {
    MutexLock lock(mutex_);
    return stub_;
  }
  // Another connection in place of the one of `broken`, unless another thread has made one. It
  // connects at once; the old one would pause before, by a timer of gRPC's (see UnaryCall).
  void Replace(const std::shared_ptr<v1::Coordinator::Stub>& broken) {
    MutexLock lock(mutex_);
    if (stub_ == broken) stub_ = v1::Coordinator::NewStub(MakeChannel(options_.address));
  }

  const Options options_;
  mutable Mutex mutex_;
  std::shared_ptr<v1::Coordinator::Stub> stub_ CONVOY_GUARDED_BY(mutex_);
  v1::Identity identity_ CONVOY_GUARDED_BY(mutex_);
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;
  CancellableCall heartbeat_;
  CancellableCall progress_;
  CancellableCall task_ahead_;
  std::thread heartbeats_;
};

// ------------------------------------------------------------------------------ calls

absl::Status CoordinatorClient::Impl::NotReachable(absl::Duration duration,
                                                   const std::string& detail) const {
  return absl::UnavailableError(absl::StrCat("coordinator at ", options_.address,
                                             " not reachable for ", absl::ToDoubleSeconds(duration),
                                             " s", detail.empty() ? "" : ": ", detail));
}

absl::Status CoordinatorClient::Impl::AwaitConnection() {
  const absl::Duration patience = std::min(options_.connect_within, options_.unreachable_after);
  const auto channel = MakeChannel(options_.address);
  if (!channel->WaitForConnected(net_internal::GprTime(SteadyNow() + patience)))
    return NotReachable(patience, "");
  MutexLock lock(mutex_);
  stub_ = v1::Coordinator::NewStub(channel);
  return absl::OkStatus();
}

template <typename Request, typename Reply>
absl::StatusOr<Reply> CoordinatorClient::Impl::Call(Method<Request, Reply> method,
                                                    const Request& request, absl::Duration wait,
                                                    CancellableCall* call) {
  const absl::Time give_up = SteadyNow() + wait + options_.unreachable_after;
  absl::Duration pause = kFirstRetryPause;
  for (;;) {
    grpc::ClientContext context;
    if (!call->Enter(&context)) return absl::CancelledError("cancelled by this process");
    const auto connection = stub();
    Reply reply;
    const grpc::Status status =
        net_internal::UnaryCall(*connection, method, request, give_up, &context, &reply);
    call->Leave();
    if (status.ok()) return reply;
    if (call->cancelled()) return absl::CancelledError("cancelled by this process");
    // A coordinator that leaves cancels the calls that it has not answered.
    const bool lost = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                      status.error_code() == grpc::StatusCode::CANCELLED;
    if (lost && SteadyNow() < give_up) {
      call->Pause(pause);
      pause = std::min(2 * pause, kLongestRetryPause);
      Replace(connection);
      continue;
    }
    if (lost || status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return NotReachable(options_.unreachable_after, lost ? status.error_message() : "");
    }
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
}

absl::StatusOr<v1::RegisterReply> CoordinatorClient::Impl::Register(v1::RegisterRequest request) {
  if (request.nonce() == 0) request.set_nonce(RandomNonce());
  CancellableCall call;
  auto reply = Call(&v1::Coordinator::Stub::AsyncRegister, request, absl::ZeroDuration(), &call);
  // A job that is under way makes room for this worker, which takes as long as a step of it does.
  while (absl::IsAborted(reply.status())) {
    call.Pause(kLongestRetryPause);
    reply = Call(&v1::Coordinator::Stub::AsyncRegister, request, absl::ZeroDuration(), &call);
  }
  if (!reply.ok()) return reply;
  MutexLock lock(mutex_);
  identity_ = reply->identity();
  return reply;
}

absl::StatusOr<v1::Assignment> CoordinatorClient::Impl::Ready(v1::ReadyRequest request) {
  *request.mutable_identity() = identity();
  request.set_wait_ms(wait_ms());
  for (;;) {
    auto reply = Call(&v1::Coordinator::Stub::AsyncReady, request, wait());
    if (!reply.ok()) return reply;
    if (reply->generation() == 0) continue;
    MutexLock lock(mutex_);
    identity_.set_generation(reply->generation());
    return reply;
  }
}

// ------------------------------------------------------------------------------ heartbeats

void CoordinatorClient::Impl::RunHeartbeats(absl::Duration period, const Fill& fill,
                                            const OnReply& on_reply) {
  pthread_setname_np(pthread_self(), "heartbeat");
  uint64_t seen = 0;
  for (;;) {
    heartbeat_.Reset();
    if (stopping()) return;
    v1::HeartbeatRequest request;
    fill(&request);
    *request.mutable_identity() = identity();
    request.set_wait_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(period)));
    request.set_seen(seen);
    const auto reply = Call(&v1::Coordinator::Stub::AsyncHeartbeat, request, period, &heartbeat_);
    if (stopping()) return;
    if (absl::IsCancelled(reply.status())) continue;  // HeartbeatNow.
    on_reply(reply);
    if (!reply.ok() || reply->phase() == v1::DONE || reply->phase() == v1::FAILED) return;
    seen = reply->sequence();
    if (reply->register_again()) heartbeat_.Pause(period);  // the answer comes at once each time
  }
}

void CoordinatorClient::Impl::StopHeartbeats() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  heartbeat_.Cancel();
  if (heartbeats_.joinable()) heartbeats_.join();
}

// ------------------------------------------------------------------------------ public face

absl::StatusOr<std::unique_ptr<CoordinatorClient>> CoordinatorClient::Connect(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  CONVOY_RETURN_IF_ERROR(impl->AwaitConnection());
  return std::unique_ptr<CoordinatorClient>(new CoordinatorClient(std::move(impl)));
}

CoordinatorClient::CoordinatorClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CoordinatorClient::~CoordinatorClient() { impl_->StopHeartbeats(); }

absl::StatusOr<v1::RegisterReply> CoordinatorClient::Register(v1::RegisterRequest request) {
  return impl_->Register(std::move(request));
}

absl::StatusOr<v1::Assignment> CoordinatorClient::Ready(v1::ReadyRequest request) {
  return impl_->Ready(std::move(request));
}

absl::StatusOr<v1::NextTaskReply> CoordinatorClient::NextTask(uint64_t completed, bool wait) {
  v1::NextTaskRequest request;
  *request.mutable_identity() = impl_->identity();
  request.set_completed(completed);
  request.set_wait_ms(wait ? impl_->wait_ms() : 0);
  for (;;) {
    auto reply = impl_->Call(&v1::Coordinator::Stub::AsyncNextTask, request, impl_->wait());
    if (!reply.ok() || reply->has_task() || reply->end() || !wait) return reply;
  }
}

absl::StatusOr<v1::NextTaskReply> CoordinatorClient::TaskAhead(uint64_t completed) {
  v1::NextTaskRequest request;
  *request.mutable_identity() = impl_->identity();
  request.set_completed(completed);
  request.set_ahead(true);
  return impl_->Call(&v1::Coordinator::Stub::AsyncNextTask, request, absl::ZeroDuration(),
                     &impl_->task_ahead_);
}

void CoordinatorClient::CancelTaskAhead() { impl_->task_ahead_.Cancel(); }

absl::Status CoordinatorClient::Report(v1::ReportRequest request) {
  *request.mutable_identity() = impl_->identity();
  return impl_->Call(&v1::Coordinator::Stub::AsyncReport, request, absl::ZeroDuration()).status();
}

absl::StatusOr<v1::HeartbeatReply> CoordinatorClient::Heartbeat(v1::HeartbeatRequest request) {
  *request.mutable_identity() = impl_->identity();
  return impl_->Call(&v1::Coordinator::Stub::AsyncHeartbeat, request,
                     absl::Milliseconds(request.wait_ms()));
}

absl::StatusOr<v1::GetProgressReply> CoordinatorClient::GetProgress(uint64_t events_seen,
                                                                    uint64_t seen) {
  v1::GetProgressRequest request;
  request.set_events_seen(events_seen);
  request.set_seen(seen);
  request.set_wait_ms(impl_->wait_ms());
  auto reply = impl_->Call(&v1::Coordinator::Stub::AsyncGetProgress, request, impl_->wait(),
                           &impl_->progress_);
  if (absl::IsCancelled(reply.status())) impl_->progress_.Reset();
  return reply;
}

void CoordinatorClient::CancelProgress() { impl_->progress_.Cancel(); }

absl::Status CoordinatorClient::Stop(const std::string& reason, const std::string& failure) {
  v1::StopRequest request;
  request.set_reason(reason);
  request.set_failure(failure);
  return impl_->Call(&v1::Coordinator::Stub::AsyncStop, request, absl::ZeroDuration()).status();
}

absl::StatusOr<v1::ProcessLostReply> CoordinatorClient::ProcessLost(v1::Role role, uint32_t rank,
                                                                    uint64_t pid,
                                                                    const std::string& cause) {
  v1::ProcessLostRequest request;
  request.set_role(role);
  request.set_rank(rank);
  request.set_pid(pid);
  request.set_cause(cause);
  return impl_->Call(&v1::Coordinator::Stub::AsyncProcessLost, request, absl::ZeroDuration());
}

absl::StatusOr<v1::SaveCheckpointReply> CoordinatorClient::SaveCheckpoint(uint64_t ticket) {
  v1::SaveCheckpointRequest request;
  request.set_ticket(ticket);
  request.set_wait_ms(impl_->wait_ms());
  return impl_->Call(&v1::Coordinator::Stub::AsyncSaveCheckpoint, request, impl_->wait());
}

absl::Status CoordinatorClient::Scale(uint32_t workers) {
  v1::ScaleRequest request;
  request.set_workers(workers);
  return impl_->Call(&v1::Coordinator::Stub::AsyncScale, request, absl::ZeroDuration()).status();
}

void CoordinatorClient::StartHeartbeats(absl::Duration period, Fill fill, OnReply on_reply) {
  impl_->heartbeats_ = std::thread(
      [impl = impl_.get(), period, fill = std::move(fill), on_reply = std::move(on_reply)] {
        impl->RunHeartbeats(period, fill, on_reply);
      });
}

void CoordinatorClient::HeartbeatNow() { impl_->heartbeat_.Cancel(); }
void CoordinatorClient::StopHeartbeats() { impl_->StopHeartbeats(); }

}  // namespace convoy
