#include "common/net/stream_client.h"

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/net/grpc_bytes.h"
#include "common/net/local_socket.h"
#include "common/net/next_completion.h"
#include "common/net/send_queue.h"
#include "common/net/shared_memory.h"
#include "common/net/stream_headers.h"

namespace convoy {
namespace {

using ByteStream = grpc::GenericClientAsyncReaderWriter;

// From when a stream's beginning has left to the server's headers.
constexpr absl::Duration kTimeToAccept = absl::Seconds(5);

// One stream. It lives until its last completion has come.
struct ClientCall {
  enum Op { kStart, kTooLate, kHeaders, kRead, kWrite, kDelay, kFinish, kOps };
  struct Tag {
    ClientCall* call;
    Op op;
  };

  explicit ClientCall(int peer_number) : peer(peer_number) {
    for (int op = 0; op < kOps; ++op) tags[op] = {this, static_cast<Op>(op)};
  }

  int peer;
  // Offered to the server; null: none.
  std::shared_ptr<SharedMemory> memory;
  bool shares = false;  // the server has it
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericStub> stub;
  std::unique_ptr<ByteStream> stream;
  grpc::ByteBuffer incoming;
  net_internal::SendQueue outgoing;
  grpc::Alarm alarm;  // rings when the first of `outgoing` is due
  grpc::Status status;
  absl::Status damage;  // of what the server sent
  Tag tags[kOps];
  int pending = 0;            // operations whose completion has not come
  grpc::Alarm too_late;       // rings when the server has not accepted it for long enough
  bool started = false;       // its beginning has left
  bool accepting = false;     // the server's headers have not come
  bool late = false;          // that alarm has rung
  bool not_accepted = false;  // they have not come in time
  bool delayed = false;       // the alarm is set
  bool broken = false;        // an operation failed: Finish was asked for
  bool finished = false;      // the status is there
};

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);  // also the time to connect
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return arguments;
}

// Connects in the background, unless it is a socket of this host. `memory`: what went with it, or
// null.
std::shared_ptr<grpc::Channel> Dial(const std::string& address,
                                    std::shared_ptr<SharedMemory>* memory) {
  if (OwnedFd local = ConnectLocally(address); local.valid()) {
    absl::StatusOr<std::shared_ptr<SharedMemory>> created = SharedMemory::Create();
    const OwnedFd file = created.ok() ? (*created)->TakeFile() : OwnedFd();
    if (SayHello(local, file)) {
      if (created.ok()) *memory = *std::move(created);
      return grpc::CreateCustomInsecureChannelFromFd(address, local.Release(), ChannelArguments());
    }
  }
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), ChannelArguments());
}

}  // namespace

class StreamClient::Impl {
 public:
  Impl(std::string method, absl::Duration spin) : method_(std::move(method)), spin_(spin) {}

  ~Impl() {
    for (auto& call : calls_) {
      if (call) call->context.TryCancel();
    }
    Event ignored;
    while (open_calls_ > 0) {
      if (!Poll(absl::InfiniteFuture(), &ignored)) break;
    }
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Open(int peer, const std::string& address) {
    if (calls_.size() <= static_cast<size_t>(peer)) calls_.resize(static_cast<size_t>(peer) + 1);
    auto call = std::make_unique<ClientCall>(peer);
    call->stub = std::make_unique<grpc::GenericStub>(Dial(address, &call->memory));
    if (call->memory != nullptr) {
      call->context.AddMetadata(net_internal::kMemoryHeader, absl::StrCat(call->memory->id()));
    }
    call->stream = call->stub->PrepareCall(&call->context, method_, &queue_);
    call->stream->StartCall(&call->tags[ClientCall::kStart]);
    ++call->pending;
    ++open_calls_;
    calls_[static_cast<size_t>(peer)] = std::move(call);
  }

  void Send(int peer, const WireMessage& message, absl::Duration delay) {
    ClientCall* call = Find(peer);
    if (call == nullptr || call->broken) return;
    bytes_sent_ += message.size();
    absl::Time due = link_ ? link_->Arrival(message.size(), SteadyNow()) : absl::InfinitePast();
    if (delay > absl::ZeroDuration()) due = std::max(due, SteadyNow() + delay);
    const std::optional<WireMessage> placed =
        call->shares ? call->memory->Place(message) : std::nullopt;
    call->outgoing.Add(
        {net_internal::ToByteBuffer(placed ? *placed : message), message.size(), due});
    WriteNext(call);
  }

  void SetLink(const LinkLimit& limit) {
    if (limit.any()) link_.emplace(limit);
  }

  void Close(int peer) {
    if (ClientCall* call = Find(peer)) call->context.TryCancel();
  }

  bool HoldsBack() const {
    return std::ranges::any_of(
        calls_, [](const auto& call) { return call != nullptr && call->outgoing.holds_back(); });
  }

  bool Poll(absl::Time deadline, Event* event) {
    for (;;) {
      const Progress progress = HandleNext(deadline, event);
      if (progress != Progress::kSome) return progress == Progress::kEvent;
    }
  }

  bool PollUntilSent(Event* event) {
    const auto sending = [](const auto& call) {
      return call != nullptr && !call->outgoing.empty() && !call->broken;
    };
    while (std::ranges::any_of(calls_, sending)) {
      const Progress progress = HandleNext(absl::InfinitePast(), event);
      if (progress != Progress::kSome) return progress == Progress::kEvent;
    }
    return false;
  }

  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;

 private:
  ClientCall* Find(int peer) {
    return static_cast<size_t>(peer) < calls_.size() ? calls_[static_cast<size_t>(peer)].get()
                                                     : nullptr;
  }

  enum class Progress { kNone, kSome, kEvent };

  // Handles one completion, waiting for it until `deadline`, or sends what was held until there is
  // none.
  Progress HandleNext(absl::Time deadline, Event* event) {
    void* tag;
    bool ok;
    const bool holding = !held_.empty();
    const bool looking = holding || late_calls_ > 0;
    const auto result =
        net_internal::NextCompletion(queue_, looking ? absl::ZeroDuration() : spin_,
                                     looking ? absl::InfinitePast() : deadline, &tag, &ok);
    const bool got = result == grpc::CompletionQueue::GOT_EVENT;
    if (!got && late_calls_ > 0) CancelLate();
    if (holding && (!got || SteadyNow() >= held_until_)) WriteHeld();
    if (!got) return looking ? Progress::kSome : Progress::kNone;
    return Complete(*static_cast<ClientCall::Tag*>(tag), ok, event) ? Progress::kEvent
                                                                    : Progress::kSome;
  }

  // Handles one completion; true if it makes an event.
  bool Complete(ClientCall::Tag tag, bool ok, Event* event) {
    ClientCall* call = tag.call;
    --call->pending;
    bool has_event = false;
    switch (tag.op) {
      case ClientCall::kStart:
        if (ok) {
          call->started = true;
          WaitForHeaders(call);
          WriteNext(call);
        }
        break;
      case ClientCall::kTooLate:
        if (!ok || !call->accepting) break;
        call->late = true;
        ++late_calls_;
        break;
      case ClientCall::kHeaders:
        call->accepting = false;
        call->too_late.Cancel();
        if (std::exchange(call->late, false)) --late_calls_;
        if (!ok) break;
        ReadNext(call);  // fails if the stream is over
        if (const auto& headers = call->context.GetServerInitialMetadata();
            headers.contains(net_internal::kAcceptedHeader)) {
          if (!IsShared(*call, headers)) call->memory.reset();
          call->shares = call->memory != nullptr;
          *event = {Event::Kind::kOpened, call->peer, {}, {}};
          has_event = true;
        }
        break;
      case ClientCall::kRead:
        if (ok) {
          absl::StatusOr<Payload> message = Received(*call);
          if (!message.ok()) {
            call->damage = message.status();
            call->context.TryCancel();
            Break(call);
            break;
          }
          bytes_received_ += message->size();
          *event = {Event::Kind::kMessage, call->peer, *std::move(message), {}};
          has_event = true;
          ReadNext(call);
        }
        break;
      case ClientCall::kWrite:
        if (call->outgoing.EndWrite()) Hold(call);
        if (ok) WriteNext(call);
        break;
      case ClientCall::kDelay:
        call->delayed = false;
        WriteNext(call);
        break;
      case ClientCall::kFinish:
        call->finished = true;
        break;
      case ClientCall::kOps:
        break;
    }
    const bool is_alarm = tag.op == ClientCall::kTooLate || tag.op == ClientCall::kDelay;
    if (!ok && tag.op != ClientCall::kFinish && !is_alarm) Break(call);
    if (call->finished && call->pending == 0) {
      *event = {Event::Kind::kClosed, call->peer, {}, FinalStatus(*call)};
      has_event = true;
      --open_calls_;
      calls_[static_cast<size_t>(call->peer)].reset();
    }
    return has_event;
  }

  // Whether the server has mapped what was offered to it.
  template <typename Headers>
  static bool IsShared(const ClientCall& call, const Headers& headers) {
    const auto header = headers.find(net_internal::kMemoryHeader);
    return call.memory != nullptr && header != headers.end() &&
           header->second == absl::StrCat(call.memory->id());
  }

  static absl::StatusOr<Payload> Received(const ClientCall& call) {
    Payload message = net_internal::ToPayload(call.incoming);
    if (!call.shares) return message;
    return call.memory->Find(std::move(message));
  }

  void WaitForHeaders(ClientCall* call) {
    call->accepting = true;
    call->stream->ReadInitialMetadata(&call->tags[ClientCall::kHeaders]);
    call->too_late.Set(&queue_, net_internal::GprTime(SteadyNow() + kTimeToAccept),
                       &call->tags[ClientCall::kTooLate]);
    call->pending += 2;
  }

  // Nothing more has come. An alarm rings also while this process does not look at the network, and
  // the server's headers may have been there all the time.
  void CancelLate() {
    for (const auto& call : calls_) {
      if (call == nullptr || !std::exchange(call->late, false)) continue;
      call->not_accepted = true;
      call->context.TryCancel();
    }
    late_calls_ = 0;
  }

  static absl::Status FinalStatus(const ClientCall& call) {
    if (call.not_accepted) {
      return absl::UnavailableError(absl::StrCat("the server has not accepted the stream for ",
                                                 absl::ToInt64Seconds(kTimeToAccept), " s"));
    }
    if (!call.damage.ok()) return call.damage;
    return {static_cast<absl::StatusCode>(call.status.error_code()), call.status.error_message()};
  }

  void ReadNext(ClientCall* call) {
    if (call->broken) return;
    call->stream->Read(&call->incoming, &call->tags[ClientCall::kRead]);
    ++call->pending;
  }

  void WriteNext(ClientCall* call) {
    if (!call->started || call->delayed || call->broken || !call->outgoing.ready()) return;
    const net_internal::SendQueue::Message& next = call->outgoing.front();
    if (next.due > absl::InfinitePast() && next.due > SteadyNow()) {
      call->delayed = true;
      call->alarm.Set(&queue_, net_internal::GprTime(next.due), &call->tags[ClientCall::kDelay]);
    } else {
      call->stream->Write(next.bytes, call->outgoing.BeginWrite(), &call->tags[ClientCall::kWrite]);
    }
    ++call->pending;
  }

  void Hold(ClientCall* call) {
    if (held_.empty()) held_until_ = SteadyNow() + net_internal::SendQueue::kMaxHeldTime;
    held_.push_back(call->peer);
  }

  void WriteHeld() {
    for (const int peer : std::exchange(held_, {})) {
      ClientCall* call = Find(peer);
      if (call != nullptr && call->outgoing.Release()) WriteNext(call);
    }
  }

  // The call has ended: an operation fails for no other reason. Finish gets the peer's own status.
  void Break(ClientCall* call) {
    if (call->broken) return;
    call->broken = true;
    if (call->delayed) call->alarm.Cancel();
    call->stream->Finish(&call->status, &call->tags[ClientCall::kFinish]);
    ++call->pending;
  }

  const std::string method_;
  const absl::Duration spin_;
  std::optional<LimitedLink> link_;  // none: as fast as it goes
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<ClientCall>> calls_;
  int open_calls_ = 0;
  int late_calls_ = 0;
  std::vector<int> held_;  // peers
  absl::Time held_until_;  // at the latest
};

StreamClient::StreamClient(std::string method, absl::Duration spin)
    : impl_(std::make_unique<Impl>(std::move(method), spin)) {}
StreamClient::~StreamClient() = default;
void StreamClient::Open(int peer, const std::string& address) { impl_->Open(peer, address); }
void StreamClient::Send(int peer, const WireMessage& message, absl::Duration delay) {
  impl_->Send(peer, message, delay);
}
void StreamClient::SetLink(const LinkLimit& limit) { impl_->SetLink(limit); }
void StreamClient::Close(int peer) { impl_->Close(peer); }
bool StreamClient::HoldsBack() const { return impl_->HoldsBack(); }
bool StreamClient::Poll(absl::Time deadline, Event* event) { return impl_->Poll(deadline, event); }
bool StreamClient::PollUntilSent(Event* event) { return impl_->PollUntilSent(event); }
uint64_t StreamClient::bytes_sent() const { return impl_->bytes_sent_; }
uint64_t StreamClient::bytes_received() const { return impl_->bytes_received_; }

}  // namespace convoy
