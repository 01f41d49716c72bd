// Lines of events.jsonl on processes that come and go while the job is under way; see
// docs/run_directory.md.
#ifndef CONVOY_LAUNCHER_COORDINATOR_LOSS_REPORT_H_
#define CONVOY_LAUNCHER_COORDINATOR_LOSS_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace convoy {

// `process`: "worker 1". `step`: the highest that it was heard to have begun. `since`: the start of
// the training.
std::string LostLine(std::string_view process, std::string_view cause, uint64_t step,
                     uint64_t generation, absl::Duration since);
// The process was only not heard of.
std::string ReturnLine(std::string_view process, uint64_t step, uint64_t generation,
                       absl::Duration since);
// `step`: the first that the newcomer takes; modes with data tasks: 0.
std::string RejoinLine(std::string_view process, uint64_t step, uint64_t generation,
                       absl::Duration since);
// The slices or data tasks are divided anew among `workers`, who go on at `step` (modes without
// steps: the batches pushed so far); nullopt: at the one that the servers will say.
std::string DividedLine(uint32_t workers, uint32_t before, std::optional<uint64_t> step,
                        uint64_t generation, absl::Duration since);
// Another coordinator goes on with the job. `step`: the highest that workers were heard to have
// begun; modes without steps: batches that they have pushed.
std::string RecoveredLine(uint64_t step, uint64_t generation, absl::Duration since);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_LOSS_REPORT_H_
