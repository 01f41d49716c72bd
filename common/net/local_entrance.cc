#include "common/net/local_entrance.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "common/clock.h"
#include "common/net/stream_headers.h"

namespace convoy::net_internal {
namespace {

// Connections whose stream has not come yet, at most; above this the oldest one does without. A
// client gives up before kTimeForStream.
constexpr size_t kMaxWaiting = 256;
constexpr absl::Duration kTimeForStream = absl::Seconds(10);

}  // namespace

absl::Status LocalEntrance::Open(const std::string& address, bool memory) {
  auto listener = LocalListener::Start(address, [this, memory](OwnedFd socket, OwnedFd shared) {
    if (memory && shared.valid()) Keep(shared);
    Acceptor::NewConnectionParameters connection;
    connection.fd = socket.Release();
    acceptor_->HandleNewConnection(&connection);
  });
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

void LocalEntrance::Keep(const OwnedFd& memory) {
  absl::StatusOr<std::shared_ptr<SharedMemory>> mapped = SharedMemory::Map(memory);
  if (!mapped.ok()) return;  // its stream does without
  MutexLock lock(mutex_);
  ForgetLocked();
  if (waiting_.size() == kMaxWaiting) waiting_.pop_front();
  waiting_.push_back({*std::move(mapped), SteadyNow() + kTimeForStream});
}

void LocalEntrance::ForgetLocked() {
  while (!waiting_.empty() && waiting_.front().until < SteadyNow()) waiting_.pop_front();
}

void LocalEntrance::Close() {
  listener_.reset();
  MutexLock lock(mutex_);
  waiting_.clear();
}

std::shared_ptr<SharedMemory> LocalEntrance::MemoryFor(const grpc::GenericServerContext& stream) {
  const auto header = stream.client_metadata().find(kMemoryHeader);
  if (header == stream.client_metadata().end()) return nullptr;
  uint64_t number;
  if (!absl::SimpleAtoi({header->second.data(), header->second.size()}, &number)) return nullptr;
  MutexLock lock(mutex_);
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (it->memory->id() != number) continue;
    std::shared_ptr<SharedMemory> found = std::move(it->memory);
    waiting_.erase(it);
    ForgetLocked();
    return found;
  }
  return nullptr;
}

}  // namespace convoy::net_internal
