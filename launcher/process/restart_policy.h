// Whether a job that lost a process starts again, and when.
#ifndef CONVOY_LAUNCHER_PROCESS_RESTART_POLICY_H_
#define CONVOY_LAUNCHER_PROCESS_RESTART_POLICY_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace convoy {

// A process is gone, or is not heard of any more, through no fault of the job.
struct Loss {
  std::string cause;      // "worker 1 (pid 1234) was killed by SIGKILL"
  bool crashed = false;   // the program itself has an error, which may come again
  uint64_t examples = 0;  // how far the job was, the part before its last restart included
  // Another process can take its place while the others go on.
  bool replaceable = false;
};

// Restarts, of all processes or of one, are limited only while they do not help: the count begins
// anew as soon as the job got further than at the loss before. Plain logic; one thread.
class RestartPolicy {
 public:
  enum class Remedy {
    kReplace,     // start another process in the place of the one that was lost
    kRestoreAll,  // end all processes, and start all from the newest checkpoint
    kGiveUp,
  };
  struct Decision {
    Remedy remedy = Remedy::kGiveUp;
    absl::Duration delay;  // before the restart
    // For people. kRestoreAll: "restart 3", or "restart 4, number 2 of at most 10 in a row without
    // getting further; in 500ms". kGiveUp: why, or "" if no restart is wanted at all. kReplace: "".
    std::string text;
  };

  // Crashes in a row, without getting further, after which another try makes no sense.
  static constexpr uint32_t kMaxCrashes = 3;

  // `max_restarts`: in a row without getting further; 0: none.
  explicit RestartPolicy(uint32_t max_restarts) : max_restarts_(max_restarts) {}

  Decision OnLoss(const Loss& loss);
  uint32_t restarts() const { return restarts_; }  // of all processes

 private:
  const uint32_t max_restarts_;
  uint32_t restarts_ = 0;
  uint32_t in_a_row_ = 0;  // since the job last got further
  uint64_t furthest_ = 0;  // examples
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_RESTART_POLICY_H_
