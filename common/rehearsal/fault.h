// What is broken on purpose while a job runs (rehearsal.fault; docs/failures.md).
//
//   fault    = "kill" PROCESS "at step" N
//            | "freeze" PROCESS "for" TIME "at step" N
//            | "worker" RANK "slow" FACTOR "x"
//            | "drop" SHARE "%" "of pushes"
//            | "duplicate" SHARE "%" "of pushes"
//            | "corrupt" SHARE "%" "of pushes"
//            | "delay" SHARE "%" "of pushes by" TIME
//   PROCESS  = "worker" RANK | "server" RANK | "coordinator"
//   TIME     = number ( "us" | "ms" | "s" )
#ifndef CONVOY_COMMON_REHEARSAL_FAULT_H_
#define CONVOY_COMMON_REHEARSAL_FAULT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace convoy {

struct Fault {
  enum class Kind {
    kKill,       // SIGKILL to the process
    kFreeze,     // SIGSTOP, and SIGCONT after `time`
    kSlow,       // as rehearsal.slow_worker
    kDrop,       // the stream is closed before the answer: the worker must send again
    kDuplicate,  // the push is sent twice
    kDelay,      // the push and what follows it leave later by `time`
    kCorrupt,    // one bit of the push is the other way round; needs cluster.wire_checksums
  };
  Kind kind = Kind::kKill;
  std::string role{};   // kKill, kFreeze, kSlow: "coordinator", "server", "worker"
  uint32_t rank = 0;    // among those of the role
  uint64_t step = 0;    // kKill, kFreeze: when the job has got there
  absl::Duration time;  // kFreeze, kDelay
  double factor = 1;    // kSlow, > 1
  double share = 0;     // kDrop, kDuplicate, kDelay, kCorrupt: of the pushes, in (0, 1]

  // Of a process, by the launcher.
  bool OfProcess() const { return kind == Kind::kKill || kind == Kind::kFreeze; }
  // Of the messages that a worker sends.
  bool OfPushes() const { return share > 0; }
  bool operator==(const Fault&) const = default;
};

// InvalidArgument: says at which character, what was expected there, and which forms there are.
absl::StatusOr<Fault> ParseFault(std::string_view text);
// In the words of the grammar.
std::string ToString(const Fault& fault);

// Which pushes of one worker are hit.
class PushFaults {
 public:
  struct Hit {
    bool drop = false;
    bool duplicate = false;
    bool corrupt = false;
    absl::Duration delay;  // the longest of those that apply
  };

  // The faults of pushes among `faults`. The same everywhere for the same arguments.
  PushFaults(const std::vector<Fault>& faults, uint64_t seed, uint32_t worker);

  bool any() const { return !faults_.empty(); }
  // Of the push in request `number` of the worker.
  Hit Of(uint64_t number) const;

 private:
  std::vector<Fault> faults_;
  uint64_t seed_;
  uint32_t worker_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_REHEARSAL_FAULT_H_
