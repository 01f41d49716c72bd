// Answers of the coordinator that wait until the journal is on the disk: nobody is to act on what a
// loss of power could undo. They do not wait for ever: a coordinator that is silent for long counts
// as lost, while a journal that is written but not yet on the disk survives all but the loss of
// power. A disk that takes its time holds each answer up once.
#ifndef CONVOY_LAUNCHER_COORDINATOR_HELD_ANSWERS_H_
#define CONVOY_LAUNCHER_COORDINATOR_HELD_ANSWERS_H_

#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "launcher/coordinator/coordinator_core.h"

namespace convoy {

class UnaryCall;

// Calls with what they are answered.
using AnsweredCalls = std::vector<std::pair<UnaryCall*, Actions::Reply>>;

// Not thread-safe. Times are of the steady clock.
class HeldAnswers {
 public:
  // `patience`: how long one sync of the journal may hold answers up.
  explicit HeldAnswers(absl::Duration patience) : patience_(patience) {}

  // Returns those of `answers` that go out now: all of them when the journal has nothing to sync,
  // or when the sync that goes on takes too long.
  AnsweredCalls Hold(AnsweredCalls answers, bool to_sync);
  // Nothing waits for a sync that has not begun.
  bool empty() const { return waiting_.empty(); }

  // A sync of the journal begins, which covers all answers so far.
  void SyncBegins(absl::Time now);
  // It has ended: the answers it covered.
  AnsweredCalls SyncEnded();
  // All answers, once the sync that goes on has taken too long.
  AnsweredCalls TakeLate(absl::Time now);
  // When TakeLate is due. InfiniteFuture: no sync goes on, or it has been late for some time.
  absl::Time deadline() const {
    return began_ && !late_ ? *began_ + patience_ : absl::InfiniteFuture();
  }
  // Since the sync that goes on began; zero: none goes on.
  absl::Duration SyncingFor(absl::Time now) const {
    return began_ ? now - *began_ : absl::ZeroDuration();
  }
  absl::Duration patience() const { return patience_; }

 private:
  const absl::Duration patience_;
  AnsweredCalls waiting_;  // for the next sync
  AnsweredCalls covered_;  // by the one that goes on
  std::optional<absl::Time> began_;
  bool late_ = false;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_HELD_ANSWERS_H_
