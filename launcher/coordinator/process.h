// What the coordinator knows of one server or worker.
#ifndef CONVOY_LAUNCHER_COORDINATOR_PROCESS_H_
#define CONVOY_LAUNCHER_COORDINATOR_PROCESS_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// "server 0", "worker 1".
inline std::string ProcessName(v1::Role role, uint32_t rank) {
  return absl::StrCat(role == v1::SERVER ? "server " : "worker ", rank);
}

struct Process {
  v1::Identity identity;
  v1::RegisterRequest registration;
  v1::ReadyRequest setup;  // once `ready`; before that, of the process that it replaces
  bool ready = false;

  // It takes the place of a process that was lost, in a job that is under way ...
  bool rejoins = false;
  bool rejoined = false;  // ... and goes on with its work
  // It came after the workers were divided anew, or is to come ...
  bool divided = false;
  // ... and they had stopped in order: nothing is missing of what they had summed up.
  bool in_order = false;
  uint64_t steps_before = 0;  // those that had been there before it said
  // Why it counts as lost; "": it does not. One that was only not heard of may come back, as long
  // as nobody has taken its place.
  std::string lost;
  absl::Time lost_at;
  bool is_gone = false;  // it has died: it does not come back

  absl::Time registered;
  absl::Time heard;    // last request of any kind
  absl::Time active;   // registration, or last heartbeat that named an activity
  bool beats = false;  // has sent a heartbeat

  // From heartbeats.
  uint64_t step = 0;
  std::string activity;
  absl::Time reported = absl::InfinitePast();  // the last one
  absl::Time stepped = absl::InfinitePast();   // the last one with a higher step
  v1::ServerStats stats;
  v1::ProcessUsage usage;
  bool finished = false;     // worker: has taken its last step
  bool final_stats = false;  // server: `stats` are of after the last step
  bool told_end = false;     // has been answered that the job has ended

  std::string name() const { return ProcessName(identity.role(), identity.rank()); }
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_PROCESS_H_
