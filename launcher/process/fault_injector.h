// Kills and freezes processes of a job when it has got to a step (rehearsal.fault).
#ifndef CONVOY_LAUNCHER_PROCESS_FAULT_INJECTOR_H_
#define CONVOY_LAUNCHER_PROCESS_FAULT_INJECTOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/rehearsal/fault.h"

namespace convoy {

// Each fault happens once, also in a job that has to go back and gets to its step again. Plain
// logic; one thread.
class FaultInjector {
 public:
  struct Signal {
    std::string role;  // as in ClusterProcess
    int rank = 0;
    int number = 0;     // SIGKILL, SIGSTOP or SIGCONT
    std::string fault;  // in the words of the job; of a SIGCONT, what ends
  };

  // Those of `faults` that are of processes.
  explicit FaultInjector(const std::vector<Fault>& faults);

  bool any() const { return !waiting_.empty() || !frozen_.empty(); }
  // What is to be sent now that the job is at `step`.
  std::vector<Signal> Due(uint64_t step, absl::Time now);
  // The part of it that does not depend on the step, which a frozen coordinator can't tell.
  std::vector<Signal> Ends(absl::Time now);
  // What has not happened so far.
  std::vector<std::string> Missing() const;
  // All processes have been replaced: none is frozen.
  void Forget() { frozen_.clear(); }

 private:
  struct Frozen {
    Signal end;
    absl::Time until;
  };
  std::vector<Fault> waiting_;
  std::vector<Frozen> frozen_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_FAULT_INJECTOR_H_
