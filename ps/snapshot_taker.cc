#include "ps/snapshot_taker.h"

#include <pthread.h>

#include <string>
#include <utility>

#include "ps/shard_file.h"

namespace convoy {

SnapshotTaker::SnapshotTaker(std::shared_ptr<ServerCore> core, std::function<void()> news)
    : core_(std::move(core)), news_(std::move(news)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "snapshots");
}

SnapshotTaker::~SnapshotTaker() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    core_->shard().DisarmSnapshot();
  }
  changed_.NotifyAll();
  thread_.join();
}

void SnapshotTaker::Follow(const v1::SnapshotOrder& order) {
  {
    MutexLock lock(mutex_);
    if (order.number() < order_.number()) return;
    // Whoever waits for it, or writes it, comes to an end. The next one is armed after that.
    if (order.number() != order_.number()) core_->shard().DisarmSnapshot();
    order_ = order;
  }
  changed_.NotifyAll();
}

v1::SnapshotState SnapshotTaker::state() const {
  MutexLock lock(mutex_);
  return state_;
}

void SnapshotTaker::Run() {
  v1::SnapshotOrder order;
  while (AwaitOrder(&order)) Take(order);
}

bool SnapshotTaker::AwaitOrder(v1::SnapshotOrder* order) {
  MutexLock lock(mutex_);
  while (!stopping_ && order_.number() == order->number()) changed_.Wait(mutex_);
  *order = order_;
  return !stopping_;
}

bool SnapshotTaker::AwaitWrite(v1::SnapshotOrder* order) {
  MutexLock lock(mutex_);
  while (!stopping_ && order_.number() == order->number() && !order_.write()) changed_.Wait(mutex_);
  if (stopping_ || order_.number() != order->number()) return false;
  *order = order_;
  return true;
}

void SnapshotTaker::Take(v1::SnapshotOrder order) {
  if (order.folder().empty()) return;  // the one before is not wanted any more
  Shard& shard = core_->shard();
  v1::SnapshotState state;
  state.set_number(order.number());
  const uint64_t version = shard.ArmSnapshot(order.version());
  state.set_progress(version == order.version() ? v1::SnapshotState::ARMED
                                                : v1::SnapshotState::REFUSED);
  state.set_version(version);
  Say(state);
  if (version != order.version()) return;
  if (!AwaitWrite(&order) || !shard.AwaitSnapshot()) {
    shard.DisarmSnapshot();  // Follow may have done it before it was armed
    return;
  }
  absl::StatusOr<ShardFile> file = WriteShard(shard, core_->placement(), core_->options().rank,
                                              order.folder(), bases_.Find(order.base()));
  shard.DisarmSnapshot();
  if (file.ok()) {
    bases_.Add(order.number(), order.base(), std::move(file->versions));
    state.set_delta(file->delta);
    state.set_progress(v1::SnapshotState::WRITTEN);
    state.set_version(file->version);
    state.set_file(file->name);
    state.set_bytes(file->bytes);
    state.set_xxh3(file->xxh3);
    state.set_examples(file->examples);
    state.set_dropped(file->dropped);
  } else {
    state.set_progress(v1::SnapshotState::FAILED_TO_WRITE);
    state.set_error(std::string(file.status().message()));
  }
  Say(state);
}

void SnapshotTaker::Say(v1::SnapshotState state) {
  {
    MutexLock lock(mutex_);
    if (state.number() != order_.number()) return;
    state_ = std::move(state);
  }
  news_();
}

}  // namespace convoy
