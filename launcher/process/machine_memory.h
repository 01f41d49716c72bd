// The memory that this process and its children can still get.
#ifndef CONVOY_LAUNCHER_PROCESS_MACHINE_MEMORY_H_
#define CONVOY_LAUNCHER_PROCESS_MACHINE_MEMORY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace convoy {

struct MachineMemory {
  uint64_t total_bytes = 0;      // of the machine, or the lowest limit of a control group
  uint64_t available_bytes = 0;  // without swapping: file caches count as available
  bool limited = false;          // a control group leaves less than the machine does
};

// MemTotal and MemAvailable of /proc/meminfo, and what is left of the limits of the memory control
// groups (versions 1 and 2) that the process is in. `root` stands before every path (tests).
// Unavailable: /proc/meminfo can't be read or has no such figures.
absl::StatusOr<MachineMemory> ReadMachineMemory(const std::string& root = "");

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_MACHINE_MEMORY_H_
