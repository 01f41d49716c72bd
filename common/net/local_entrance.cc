#include "common/net/local_entrance.h"

#include <utility>

#include "absl/strings/numbers.h"

namespace convoy::net_internal {
namespace {

// Connections whose stream has not come yet, at most: as many as there may be workers. Of those
// that never come the oldest is given up.
constexpr size_t kMaxWaiting = 1024;

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
  if (waiting_.size() == kMaxWaiting) waiting_.pop_front();
  waiting_.push_back(*std::move(mapped));
}

std::shared_ptr<SharedMemory> LocalEntrance::TakeMemory(absl::string_view id) {
  uint64_t number;
  if (!absl::SimpleAtoi(id, &number)) return nullptr;
  MutexLock lock(mutex_);
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if ((*it)->id() != number) continue;
    std::shared_ptr<SharedMemory> found = std::move(*it);
    waiting_.erase(it);
    return found;
  }
  return nullptr;
}

}  // namespace convoy::net_internal
