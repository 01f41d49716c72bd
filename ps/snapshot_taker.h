// A server's part in checkpoints: follows the coordinator's orders, which come with answers to
// heartbeats, and says with the next heartbeat how far it is.
//
//   new order -> arm every cell -> ARMED or REFUSED
//   `write`   -> wait for the version, write the file -> WRITTEN or FAILED_TO_WRITE
#ifndef CONVOY_PS_SNAPSHOT_TAKER_H_
#define CONVOY_PS_SNAPSHOT_TAKER_H_

#include <functional>
#include <memory>
#include <thread>

#include "common/mutex.h"
#include "proto/coordinator.pb.h"
#include "ps/delta_bases.h"
#include "ps/server_core.h"

namespace convoy {

// Thread-safe.
class SnapshotTaker {
 public:
  // Starts a thread. `news` is called by it when there is something to say, without a lock held.
  SnapshotTaker(std::shared_ptr<ServerCore> core, std::function<void()> news);
  // Gives up what is under way, and joins the thread.
  ~SnapshotTaker();

  // What the coordinator wants. The same order may come again; a new one replaces the one before.
  void Follow(const v1::SnapshotOrder& order);
  v1::SnapshotState state() const;

 private:
  void Run();
  // False: stop.
  bool AwaitOrder(v1::SnapshotOrder* order);
  // Until `order` is to be written, as it then is: a delta may have become a complete one. False:
  // it is not the newest any more.
  bool AwaitWrite(v1::SnapshotOrder* order);
  void Take(v1::SnapshotOrder order);
  void Say(v1::SnapshotState state);

  const std::shared_ptr<ServerCore> core_;
  const std::function<void()> news_;

  mutable Mutex mutex_;
  CondVar changed_;
  v1::SnapshotOrder order_ CONVOY_GUARDED_BY(mutex_);
  v1::SnapshotState state_ CONVOY_GUARDED_BY(mutex_);
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;
  DeltaBases bases_;  // the thread's

  std::thread thread_;
};

}  // namespace convoy

#endif  // CONVOY_PS_SNAPSHOT_TAKER_H_
