#include "launcher/process/core_pinning.h"

#include <sched.h>

#include <vector>

#include "common/files/file_io.h"

namespace convoy {

absl::Status PinToCore(uint32_t index) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) != 0) {
    return ErrnoError("cannot read the cores of", "this thread");
  }
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &usable)) cores.push_back(core);
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cores[index % cores.size()], &one);
  if (sched_setaffinity(0, sizeof(one), &one) != 0) {
    return ErrnoError("cannot choose a core for", "this thread");
  }
  return absl::OkStatus();
}

}  // namespace convoy
