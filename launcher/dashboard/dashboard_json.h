// What the dashboard's page asks for once a second, as JSON.
#ifndef CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_JSON_H_
#define CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "launcher/dashboard/samples.h"
#include "launcher/watch/run_view.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// What a page has already.
struct SeenByPage {
  uint64_t events = 0;  // GetProgressReply.events_seen
  uint64_t samples = 0;
  uint32_t thinned = 0;  // Samples::thinned of those
};

// "events=12&samples=30&thinned=1"; what is absent or no number counts as 0.
SeenByPage ParseSeen(std::string_view query);

// The present, and what the page has not seen of `news` and `samples`.
std::string DashboardJson(const RunView& view, const v1::GetProgressReply& news,
                          const Samples& samples, const SeenByPage& seen);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_DASHBOARD_DASHBOARD_JSON_H_
