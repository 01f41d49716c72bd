// Looks at a run: asks its coordinator while the job lives, and reads its files afterwards.
#ifndef CONVOY_LAUNCHER_WATCH_RUN_WATCHER_H_
#define CONVOY_LAUNCHER_WATCH_RUN_WATCHER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/net/coordinator_client.h"
#include "launcher/watch/event_history.h"
#include "launcher/watch/live_view.h"
#include "launcher/watch/run_view.h"

namespace convoy {

// One thread.
class RunWatcher {
 public:
  // NotFound: there is no run in the folder.
  static absl::StatusOr<std::unique_ptr<RunWatcher>> Open(
      std::string directory, absl::Duration patience = absl::Seconds(2));

  // The run as it is now. Unavailable: the job lives, but its coordinator has not answered for
  // `patience`.
  absl::StatusOr<RunView> Look();

 private:
  RunWatcher(std::string directory, absl::Duration patience)
      : directory_(std::move(directory)), patience_(patience) {}

  void ReadNewEvents();
  RunView ViewOfFiles();
  absl::Status AskCoordinator(RunView* view);
  void ReadEnd(RunView* view) const;

  const std::string directory_;
  const absl::Duration patience_;
  uint64_t events_read_ = 0;  // bytes of events.jsonl
  EventHistory history_;
  LiveView live_;
  std::string address_;  // that client_ is connected to
  std::unique_ptr<CoordinatorClient> client_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_RUN_WATCHER_H_
