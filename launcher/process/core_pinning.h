// Keeping processes on cores of their own (cluster.pin_cores).
#ifndef CONVOY_LAUNCHER_PROCESS_CORE_PINNING_H_
#define CONVOY_LAUNCHER_PROCESS_CORE_PINNING_H_

#include <cstdint>

#include "absl/status/status.h"

namespace convoy {

// From now on the calling thread, and every thread that it starts, runs on one core: of those that
// the thread may use now, in ascending order, number `index` modulo their count. Internal: the
// system refuses.
absl::Status PinToCore(uint32_t index);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_CORE_PINNING_H_
