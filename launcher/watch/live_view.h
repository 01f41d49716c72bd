// The processes of a running job, and how fast they are: what the coordinator's replies to
// GetProgress add up to.
#ifndef CONVOY_LAUNCHER_WATCH_LIVE_VIEW_H_
#define CONVOY_LAUNCHER_WATCH_LIVE_VIEW_H_

#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "launcher/watch/run_view.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// One thread.
class LiveView {
 public:
  // Everything that the reply says, but for events. Rates are those between heartbeats of the last
  // seconds; after a single look at a process, means since the training began.
  void Update(const v1::GetProgressReply& reply, RunView* view);

 private:
  // The last heartbeats of a process, the newest last.
  using Heartbeats = std::deque<v1::ProcessInfo>;

  ProcessView Describe(const v1::ProcessInfo& info, const v1::JobFigures& figures, double limit);

  std::map<std::pair<int, uint32_t>, Heartbeats> heard_;  // by role and rank
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_LIVE_VIEW_H_
