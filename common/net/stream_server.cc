#include "common/net/stream_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <pthread.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/grpc_bytes.h"
#include "common/net/grpc_time.h"
#include "common/net/local_entrance.h"
#include "common/net/next_completion.h"
#include "common/net/server_call.h"

namespace convoy {
namespace {

using net_internal::ServerCall;

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace

class StreamServer::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), methods_(options_.methods) {
    AddStandardMethods(options_.method, &methods_);
  }
  ~Impl() { Stop(); }

  absl::Status Start() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(), &port);
    local_.emplace(builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials()));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(-1);
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterAsyncGenericService(&service_);
    for (int i = 0; i < options_.threads; ++i) queues_.push_back(builder.AddCompletionQueue());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      for (auto& queue : queues_) queue->Shutdown();
      return absl::UnavailableError(absl::StrCat(
          "cannot listen on ", options_.listen,
          ": the address is in use or not of this host; choose another, or port 0 for any"));
    }
    address_ = absl::StrCat(options_.listen.substr(0, options_.listen.rfind(':')), ":", port);
    for (size_t i = 0; i < queues_.size(); ++i) {
      Accept(queues_[i].get());
      threads_.emplace_back([this, i] { Run(i); });
      pthread_setname_np(threads_.back().native_handle(), absl::StrCat("stream-", i).c_str());
    }
    return absl::OkStatus();
  }

  absl::Status ListenLocally(bool share_memory) { return local_->Open(address_, share_memory); }

  void Stop() {
    if (server_ == nullptr || stopped_.exchange(true)) return;
    local_->Close();
    server_->Shutdown(net_internal::GprTime(SteadyNow() + absl::Milliseconds(200)));
    CloseForGood();
    for (auto& queue : queues_) queue->Shutdown();
    for (std::thread& thread : threads_) thread.join();
    server_.reset();
  }

  void Send(StreamId id, const WireMessage& message) {
    std::shared_ptr<ServerCall> call = Find(id);
    if (call == nullptr) return;
    bytes_sent_.fetch_add(message.size(), std::memory_order_relaxed);
    Write(call.get(), {call->ToSend(message), message.size(), DueTime(message.size())});
  }

  void SetMaxBacklog(size_t bytes) { max_backlog_bytes_ = bytes; }

  void SetLink(const LinkLimit& limit) {
    if (!limit.any()) return;
    MutexLock lock(link_mutex_);
    link_.emplace(limit);
    has_link_ = true;
  }

  void Close(StreamId id, const absl::Status& why) {
    if (std::shared_ptr<ServerCall> call = Find(id)) Finish(call.get(), ToGrpc(why));
  }

  std::string address_;
  std::atomic<uint64_t> bytes_sent_{0};
  std::atomic<uint64_t> bytes_received_{0};

 private:
  // Of one thread.
  struct Held {
    std::vector<ServerCall*> calls;  // each has one operation for each time it is here
    absl::Time until;                // at the latest
  };

  // When a message that is sent now may leave.
  absl::Time DueTime(size_t bytes) {
    if (!has_link_) return absl::InfinitePast();
    MutexLock lock(link_mutex_);
    return link_->Arrival(bytes, SteadyNow());
  }

  // No operation may be started on a queue that is shut down.
  void CloseForGood() {
    MutexLock lock(mutex_);
    closed_ = true;
    for (auto& [id, call] : calls_) {
      MutexLock call_lock(call->mutex);
      call->closed = true;
      if (call->delayed) call->alarm.Cancel();
    }
  }

  void Accept(grpc::ServerCompletionQueue* queue) {
    auto call = std::make_shared<ServerCall>(next_id_.fetch_add(1), queue);
    MutexLock lock(mutex_);
    if (closed_) return;
    calls_[call->id] = call;
    service_.RequestCall(&call->context, &call->stream, queue, queue,
                         &call->tags[ServerCall::kAccept]);
  }

  std::shared_ptr<ServerCall> Find(StreamId id) {
    MutexLock lock(mutex_);
    const auto it = calls_.find(id);
    return it == calls_.end() ? nullptr : it->second;
  }

  void Run(size_t index) {
    grpc::ServerCompletionQueue* queue = queues_[index].get();
    absl::Time next_tick = SteadyNow() + options_.tick;
    Held held;
    for (;;) {
      void* tag;
      bool ok;
      const absl::Time deadline = !held.calls.empty() ? absl::InfinitePast()
                                  : index == 0        ? next_tick
                                                      : absl::InfiniteFuture();
      const absl::Duration spin = held.calls.empty() ? options_.spin : absl::ZeroDuration();
      const auto result = net_internal::NextCompletion(*queue, spin, deadline, &tag, &ok);
      if (result == grpc::CompletionQueue::GOT_EVENT) {
        Complete(queue, *static_cast<ServerCall::Tag*>(tag), ok, &held);
      }
      if (!held.calls.empty() &&
          (result != grpc::CompletionQueue::GOT_EVENT || SteadyNow() >= held.until)) {
        WriteHeld(&held);
      }
      if (result == grpc::CompletionQueue::SHUTDOWN) return;
      if (index == 0 && SteadyNow() >= next_tick) {
        options_.handler->OnTick();
        next_tick = SteadyNow() + options_.tick;
      }
    }
  }

  void Complete(grpc::ServerCompletionQueue* queue, ServerCall::Tag tag, bool ok, Held* held) {
    ServerCall* call = tag.call;
    switch (tag.op) {
      case ServerCall::kAccept:
        if (!ok) break;
        Accept(queue);
        Begin(call);
        break;
      case ServerCall::kHeaders:
        if (ok) {
          ReadNext(call);
        } else {
          Finish(call, grpc::Status::OK);
        }
        break;
      case ServerCall::kRead:
        if (ok) {
          absl::StatusOr<Payload> message = call->Received();
          if (!message.ok()) {
            Finish(call, ToGrpc(message.status()));
            break;
          }
          if (message->size() >= net_internal::SendQueue::kMaxHeldBytes)
            WriteHeld(held);  // it takes a while
          if (ReadNext(call)) OnMessage(call, *std::move(message));
        } else {
          Finish(call, grpc::Status::OK);
        }
        break;
      case ServerCall::kWrite: {
        MutexLock lock(call->mutex);
        if (call->outgoing.EndWrite() && ok && !call->finishing) {
          HoldLocked(call, held);
          break;
        }
        call->outgoing.Release();
        if (ok) WriteNextLocked(call);
        break;
      }
      case ServerCall::kDelay: {
        MutexLock lock(call->mutex);
        call->delayed = false;
        WriteNextLocked(call);
        break;
      }
      case ServerCall::kFinish:
      case ServerCall::kOps:
        break;
    }
    Release(call);
  }

  void Begin(ServerCall* call) {
    const std::string& name = call->context.method();
    const auto method = methods_.find(name);
    if (method != methods_.end()) call->answer = &method->second;
    if (call->answer != nullptr) {
      ReadNext(call);
    } else if (name == options_.method) {
      call->memory = local_->MemoryFor(call->context);
      SendHeaders(call);
    } else {
      Finish(call, grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                                absl::StrCat("there is no method ", name)));
    }
  }

  // At once, so that the client knows that its stream has been accepted.
  static void SendHeaders(ServerCall* call) {
    MutexLock lock(call->mutex);
    if (call->closed) return;
    ++call->operations;
    call->AddHeaders();
    call->stream.SendInitialMetadata(&call->tags[ServerCall::kHeaders]);
  }

  void OnMessage(ServerCall* call, Payload message) {
    if (call->answer == nullptr) {
      bytes_received_.fetch_add(message.size(), std::memory_order_relaxed);
      options_.handler->OnMessage(call->id, std::move(message));
      return;
    }
    const absl::StatusOr<std::string> reply = (*call->answer)(message);
    if (reply.ok()) {
      const grpc::Slice slice(*reply);
      Write(call, {grpc::ByteBuffer(&slice, 1), reply->size(), absl::InfinitePast()});
    } else {
      Finish(call, ToGrpc(reply.status()));
    }
  }

  void Write(ServerCall* call, net_internal::SendQueue::Message message) {
    MutexLock lock(call->mutex);
    if (call->finishing) return;
    call->outgoing.Add(std::move(message));
    if (call->outgoing.bytes() > max_backlog_bytes_) {
      call->context.TryCancel();
      return;
    }
    WriteNextLocked(call);
  }

  // Small replies to a burst leave together when the thread has handled all that is there, comes to
  // a large message, or has held them for long enough.
  static void HoldLocked(ServerCall* call, Held* held) CONVOY_REQUIRES(call->mutex) {
    ++call->operations;
    if (held->calls.empty()) held->until = SteadyNow() + net_internal::SendQueue::kMaxHeldTime;
    held->calls.push_back(call);
  }

  void WriteHeld(Held* held) {
    for (ServerCall* call : held->calls) {
      {
        MutexLock lock(call->mutex);
        if (call->outgoing.Release()) WriteNextLocked(call);
      }
      Release(call);
    }
    held->calls.clear();
  }

  // False: the call is ending, nothing is read any more, and what came counts for nothing.
  bool ReadNext(ServerCall* call) {
    MutexLock lock(call->mutex);
    if (call->finishing || call->closed) return false;
    ++call->operations;
    call->stream.Read(&call->incoming, &call->tags[ServerCall::kRead]);
    return true;
  }

  // Finish must not overtake what was sent: WriteNextLocked does it after the last write. A client
  // that has only closed its half still reads; of one that has gone the next write fails.
  void Finish(ServerCall* call, const grpc::Status& status) {
    MutexLock lock(call->mutex);
    if (call->finishing) return;
    call->finishing = true;
    call->final_status = status;
    const bool sending = call->outgoing.writing() || call->outgoing.held() || call->delayed;
    if (!sending) FinishLocked(call);
  }

  void FinishLocked(ServerCall* call) CONVOY_REQUIRES(call->mutex) {
    if (call->closed) return;
    ++call->operations;
    call->stream.Finish(call->final_status, &call->tags[ServerCall::kFinish]);
  }

  void WriteNextLocked(ServerCall* call) CONVOY_REQUIRES(call->mutex) {
    if (call->delayed || call->closed) return;
    if (call->outgoing.empty() && call->finishing) FinishLocked(call);
    if (!call->outgoing.ready()) return;
    const net_internal::SendQueue::Message& next = call->outgoing.front();
    ++call->operations;
    if (has_link_ && next.due > SteadyNow()) {
      call->delayed = true;
      call->alarm.Set(call->queue, net_internal::GprTime(next.due),
                      &call->tags[ServerCall::kDelay]);
      return;
    }
    call->stream.Write(next.bytes, call->outgoing.BeginWrite(), &call->tags[ServerCall::kWrite]);
  }

  // One completion of the call has been handled; the last one frees it.
  void Release(ServerCall* call) {
    bool last;
    {
      MutexLock lock(call->mutex);
      last = --call->operations == 0;
    }
    if (!last) return;
    const bool was_stream = call->answer == nullptr && call->context.method() == options_.method;
    const StreamId id = call->id;
    {
      MutexLock lock(mutex_);
      calls_.erase(id);
    }
    if (was_stream) options_.handler->OnClosed(id);
  }

  const Options options_;
  std::atomic<size_t> max_backlog_bytes_{options_.max_backlog_bytes};
  OrdinaryMethods methods_;  // constant
  grpc::AsyncGenericService service_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<net_internal::LocalEntrance> local_;  // since Start
  std::atomic<StreamId> next_id_{1};
  std::atomic<bool> stopped_{false};

  std::atomic<bool> has_link_{false};
  Mutex link_mutex_;
  std::optional<LimitedLink> link_ CONVOY_GUARDED_BY(link_mutex_);

  Mutex mutex_;
  bool closed_ CONVOY_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<StreamId, std::shared_ptr<ServerCall>> calls_ CONVOY_GUARDED_BY(mutex_);

  std::vector<std::thread> threads_;
};

absl::StatusOr<std::unique_ptr<StreamServer>> StreamServer::Start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (absl::Status status = impl->Start(); !status.ok()) return status;
  return std::unique_ptr<StreamServer>(new StreamServer(std::move(impl)));
}

StreamServer::StreamServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StreamServer::~StreamServer() = default;
const std::string& StreamServer::address() const { return impl_->address_; }
void StreamServer::Send(StreamId stream, const WireMessage& message) {
  impl_->Send(stream, message);
}
absl::Status StreamServer::ListenLocally(bool share_memory) {
  return impl_->ListenLocally(share_memory);
}
void StreamServer::SetMaxBacklog(size_t bytes) { impl_->SetMaxBacklog(bytes); }
void StreamServer::SetLink(const LinkLimit& limit) { impl_->SetLink(limit); }
void StreamServer::Close(StreamId stream, const absl::Status& why) { impl_->Close(stream, why); }
void StreamServer::Stop() { impl_->Stop(); }
uint64_t StreamServer::bytes_sent() const { return impl_->bytes_sent_; }
uint64_t StreamServer::bytes_received() const { return impl_->bytes_received_; }

}  // namespace convoy
