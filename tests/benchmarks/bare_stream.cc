#include "tests/benchmarks/bare_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace convoy::benchmarks {
namespace {

constexpr char kMethod[] = "/bare/Stream";

grpc::ByteBuffer Message(uint32_t block, const float* values, int64_t bytes) {
  const BlockHeader header{block, static_cast<uint32_t>(bytes)};
  const grpc::Slice slices[] = {
      grpc::Slice(&header, sizeof(header)),
      grpc::Slice(values, static_cast<size_t>(bytes), grpc::Slice::STATIC_SLICE)};
  return grpc::ByteBuffer(slices, 2);
}

// A message as it was received, without the header.
class Incoming {
 public:
  explicit Incoming(const grpc::ByteBuffer& buffer) {
    if (!buffer.Dump(&slices_).ok()) Fail("a message cannot be read");
    size_t have = 0;
    while (have < sizeof(header_) && first_ < slices_.size()) {
      const size_t take = std::min(slices_[first_].size(), sizeof(header_) - have);
      std::memcpy(reinterpret_cast<char*>(&header_) + have, slices_[first_].begin(), take);
      have += take;
      offset_ = take;
      if (take == slices_[first_].size()) ++first_, offset_ = 0;
    }
  }
  uint32_t block() const { return header_.block; }

  // fn(bytes, floats, index of the first) on runs of whole floats, at any address.
  template <typename Fn>
  void ForEachRun(Fn fn) const {
    char split[4];
    size_t carried = 0, index = 0, skip = offset_;
    for (size_t s = first_; s < slices_.size(); ++s, skip = 0) {
      const char* at = reinterpret_cast<const char*>(slices_[s].begin()) + skip;
      size_t left = slices_[s].size() - skip;
      while (carried > 0 && left > 0) {
        split[carried++] = *at++;
        --left;
        if (carried == 4) fn(split, 1, index++), carried = 0;
      }
      if (left >= 4) fn(at, left / 4, index);
      index += left / 4;
      carried = left % 4 + (left < 4 ? carried : 0);
      std::memcpy(split, at + left / 4 * 4, left % 4);
    }
  }

 private:
  std::vector<grpc::Slice> slices_;
  BlockHeader header_{};
  size_t first_ = 0, offset_ = 0;  // where the values begin
};

// Which operation of a call has completed.
template <typename Call>
struct Tag {
  enum Op { kOpen, kRead, kWrite };
  Call* call;
  Op op;
};

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

}  // namespace

struct BareStreamServer::Call {
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream{&context};
  grpc::ByteBuffer incoming;
  std::deque<grpc::ByteBuffer> outgoing;
  bool writing = false;
  Tag<Call> open{this, Tag<Call>::kOpen}, read{this, Tag<Call>::kRead},
      write{this, Tag<Call>::kWrite};
};

BareStreamServer::BareStreamServer(const Tensor& tensor) : weights_(tensor) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterAsyncGenericService(&service_);
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) Fail("cannot listen");
  address_ = "127.0.0.1:" + std::to_string(port);
  Accept();
  thread_ = std::thread([this] { Run(); });
}

BareStreamServer::~BareStreamServer() {
  server_->Shutdown(std::chrono::system_clock::now());
  queue_->Shutdown();
  thread_.join();
}

void BareStreamServer::Accept() {
  Call* call = calls_.emplace_back(std::make_unique<Call>()).get();
  service_.RequestCall(&call->context, &call->stream, queue_.get(), queue_.get(), &call->open);
}

void BareStreamServer::Run() {
  void* completed;
  bool ok;
  while (queue_->Next(&completed, &ok)) {
    const Tag<Call>& tag = *static_cast<Tag<Call>*>(completed);
    if (!ok) continue;
    switch (tag.op) {
      case Tag<Call>::kOpen:
        tag.call->stream.Read(&tag.call->incoming, &tag.call->read);
        Accept();
        break;
      case Tag<Call>::kRead:
        OnRead(tag.call);
        break;
      case Tag<Call>::kWrite:
        tag.call->outgoing.pop_front();
        tag.call->writing = false;
        Write(tag.call);
        break;
    }
  }
}

void BareStreamServer::OnRead(Call* call) {
  const Incoming message(call->incoming);
  call->stream.Read(&call->incoming, &call->read);
  weights_.Begin(message.block());
  message.ForEachRun(
      [&](const char* run, size_t count, size_t index) { weights_.Update(run, count, index); });
  call->outgoing.push_back(
      Message(message.block(), weights_.current(message.block()), weights_.bytes()));
  Write(call);
}

void BareStreamServer::Write(Call* call) {
  if (call->writing || call->outgoing.empty()) return;
  call->writing = true;
  call->stream.Write(call->outgoing.front(), &call->write);
}

struct BareStreamClient::Call {
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericStub> stub;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
  grpc::ByteBuffer incoming;
  std::deque<grpc::ByteBuffer> outgoing;
  bool open_done = false, writing = false;
  int operations = 0;  // whose completion has not come
  Tag<Call> open{this, Tag<Call>::kOpen}, read{this, Tag<Call>::kRead},
      write{this, Tag<Call>::kWrite};
};

BareStreamClient::BareStreamClient(const Tensor& tensor, const std::vector<std::string>& addresses)
    : tensor_(tensor),
      gradient_(static_cast<size_t>(tensor.block_floats * tensor.blocks)),
      weights_(static_cast<size_t>(tensor.block_floats * tensor.blocks)),
      pending_(static_cast<size_t>(tensor.blocks)) {
  for (const std::string& address : addresses) {
    Call* call = calls_.emplace_back(std::make_unique<Call>()).get();
    call->stub = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), ChannelArguments()));
    call->stream = call->stub->PrepareCall(&call->context, kMethod, &queue_);
    call->stream->StartCall(&call->open);
    ++call->operations;
    while (!call->open_done) Advance();
  }
}

BareStreamClient::~BareStreamClient() {
  for (const auto& call : calls_) {
    call->context.TryCancel();
    while (call->operations > 0) Advance();
  }
  queue_.Shutdown();
}

void BareStreamClient::Step() {
  for (int64_t block = 0; block < tensor_.blocks; ++block) {
    while (pending_[static_cast<size_t>(block)] || in_flight_ == tensor_.window) Advance();
    Push(block);
  }
}

void BareStreamClient::Wait() {
  while (in_flight_ > 0) Advance();
}

void BareStreamClient::Flush() {
  for (const auto& call : calls_) {
    while (!call->outgoing.empty()) Advance();
  }
}

void BareStreamClient::Push(int64_t block) {
  const auto servers = static_cast<int64_t>(calls_.size());
  Call* call = calls_[static_cast<size_t>(block % servers)].get();
  pending_[static_cast<size_t>(block)] = true;
  ++in_flight_;
  call->outgoing.push_back(Message(static_cast<uint32_t>(block / servers),
                                   gradient_.data() + block * tensor_.block_floats,
                                   tensor_.block_floats * 4));
  Write(call);
}

void BareStreamClient::Write(Call* call) {
  if (call->writing || call->outgoing.empty()) return;
  call->writing = true;
  call->stream->Write(call->outgoing.front(), &call->write);
  ++call->operations;
}

void BareStreamClient::Advance() {
  void* completed;
  bool ok;
  if (!queue_.Next(&completed, &ok)) Fail("the queue is closed");
  const Tag<Call>& tag = *static_cast<Tag<Call>*>(completed);
  --tag.call->operations;
  if (!ok) return;
  switch (tag.op) {
    case Tag<Call>::kOpen:
      tag.call->open_done = true;
      tag.call->stream->Read(&tag.call->incoming, &tag.call->read);
      ++tag.call->operations;
      break;
    case Tag<Call>::kRead:
      OnRead(tag.call);
      break;
    case Tag<Call>::kWrite:
      tag.call->outgoing.pop_front();
      tag.call->writing = false;
      Write(tag.call);
      break;
  }
}

void BareStreamClient::OnRead(Call* call) {
  const Incoming message(call->incoming);
  call->stream->Read(&call->incoming, &call->read);
  ++call->operations;
  size_t server = 0;
  while (calls_[server].get() != call) ++server;
  const size_t block = message.block() * calls_.size() + server;
  char* to =
      reinterpret_cast<char*>(weights_.data() + static_cast<int64_t>(block) * tensor_.block_floats);
  message.ForEachRun([to](const char* run, size_t count, size_t index) {
    std::memcpy(to + 4 * index, run, 4 * count);
  });
  pending_[block] = false;
  --in_flight_;
}

Party BareStreamParty() {
  return {"bare gRPC stream",
          [](const Tensor& tensor, int rank, int servers) {
            Tensor part = tensor;
            part.blocks = BlocksOf(tensor, rank, servers);
            return std::make_unique<BareStreamServer>(part);
          },
          [](const Tensor& tensor, int, const std::vector<std::string>& addresses) {
            return std::make_unique<BareStreamClient>(tensor, addresses);
          }};
}

}  // namespace convoy::benchmarks
