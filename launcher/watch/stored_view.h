// What the summary.json of a run (docs/run_directory.md) says of its end and its processes.
#ifndef CONVOY_LAUNCHER_WATCH_STORED_VIEW_H_
#define CONVOY_LAUNCHER_WATCH_STORED_VIEW_H_

#include <string_view>

#include "absl/status/status.h"
#include "launcher/watch/run_view.h"

namespace convoy {

// Rates are means over the training. InvalidArgument: it is not a JSON object; nothing changes.
absl::Status ReadStored(std::string_view summary, RunView* view);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_STORED_VIEW_H_
