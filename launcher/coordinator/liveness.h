// Which processes are missed: before the training those that do not come, afterwards those that
// are no longer heard of.
#ifndef CONVOY_LAUNCHER_COORDINATOR_LIVENESS_H_
#define CONVOY_LAUNCHER_COORDINATOR_LIVENESS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "launcher/coordinator/membership.h"

namespace convoy {

// What a judgement says: the first time at which somebody will be missed, and why if it has come.
struct Missed {
  absl::Time deadline = absl::InfiniteFuture();
  std::string text;   // "": nobody yet
  bool lost = false;  // a process that was there; else one that never came, or is not ready
  // The process, if it still counts as there.
  std::optional<size_t> slot = std::nullopt;
};

// Before the training. Who has not registered is missed `startup` after the last registration of
// anybody; who is not ready, `startup` after its registration or its last heartbeat that named an
// activity; whose heartbeats have stopped, `lost` after it was last heard of. Silence counts from
// `listening_since` on.
Missed MissedAtStart(const Membership& members, absl::Duration startup, absl::Duration lost,
                     absl::Time listening_since, absl::Time now);

// In training: who was not heard of for `lost`, from `listening_since` on. Workers count if
// `workers`. In the place of one that is lost already another one is missed if it has not come
// within `startup`, or after a division within `place`, if that is less; then silence counts from
// the last sign of those that were there before it.
Missed MissedInTraining(const Membership& members, absl::Duration startup, absl::Duration lost,
                        absl::Duration place, absl::Time listening_since, bool workers,
                        absl::Time now);

// What the job waits for: "worker 1 (never registered), worker 0 (registered 3 s ago and last said
// "...")";
// "": all are ready.
std::string WaitingForProcesses(const Membership& members, absl::Time now);

// The same while the job is under way: "another worker 1 (worker 1 (pid 4170) was killed by
// SIGKILL)".
std::string WaitingForOthers(const Membership& members, absl::Time now);

// "10.2 s", "60 s".
std::string Seconds(absl::Duration duration);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_LIVENESS_H_
