// Puts a RunView together from what is known of a running job.
#ifndef CONVOY_LAUNCHER_WATCH_COMPOSE_VIEW_H_
#define CONVOY_LAUNCHER_WATCH_COMPOSE_VIEW_H_

#include "launcher/watch/event_history.h"
#include "launcher/watch/live_view.h"
#include "launcher/watch/run_view.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Progress, events and warnings that the events tell.
void AddHistory(const EventHistory& history, RunView* view);
// What the coordinator says, on top of AddHistory; warnings included.
void AddLive(const v1::GetProgressReply& reply, LiveView* live, RunView* view);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_COMPOSE_VIEW_H_
