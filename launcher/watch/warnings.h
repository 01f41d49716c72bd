// What should worry who watches a job.
#ifndef CONVOY_LAUNCHER_WATCH_WARNINGS_H_
#define CONVOY_LAUNCHER_WATCH_WARNINGS_H_

#include <string>
#include <vector>

#include "launcher/watch/run_view.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Workers that need at least 1.5 times as long for an example as the others' median, waiting left
// out: "worker 1 needs 3.0 times as long for an example as the other workers".
std::vector<std::string> StragglerWarnings(const std::vector<ProcessView>& workers);

// Of a job that is training: stragglers; nobody takes a step, or a process is not heard of; what
// the coordinator noticed.
std::vector<std::string> LiveWarnings(const v1::GetProgressReply& reply, const RunView& view);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_WARNINGS_H_
