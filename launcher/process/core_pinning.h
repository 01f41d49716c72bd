// Keeping processes on cores of their own (cluster.pin_cores).
#ifndef CONVOY_LAUNCHER_PROCESS_CORE_PINNING_H_
#define CONVOY_LAUNCHER_PROCESS_CORE_PINNING_H_

#include <cstdint>

#include "absl/status/status.h"

namespace convoy {

// From now on the calling thread, and every thread that it starts, runs on `count` cores: of those
// that the thread may use now, in ascending order, numbers `first`, `first` + 1, ... modulo their
// count. Internal: the system refuses.
absl::Status PinToCores(uint32_t first, uint32_t count);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_CORE_PINNING_H_
