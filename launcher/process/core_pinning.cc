#include "launcher/process/core_pinning.h"

#include <sched.h>

#include <vector>

#include "common/files/file_io.h"

namespace convoy {

absl::Status PinToCores(uint32_t first, uint32_t count) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) != 0) {
    return ErrnoError("cannot read the cores of", "this thread");
  }
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &usable)) cores.push_back(core);
  }
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  for (uint32_t i = 0; i < count; ++i) CPU_SET(cores[(first + i) % cores.size()], &chosen);
  if (sched_setaffinity(0, sizeof(chosen), &chosen) != 0) {
    return ErrnoError("cannot choose cores for", "this thread");
  }
  return absl::OkStatus();
}

}  // namespace convoy
