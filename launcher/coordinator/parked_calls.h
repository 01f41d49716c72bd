// Calls that are answered later, when what they wait for happens or their time is up.
#ifndef CONVOY_LAUNCHER_COORDINATOR_PARKED_CALLS_H_
#define CONVOY_LAUNCHER_COORDINATOR_PARKED_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace convoy {

// Names one call of a client; given by whoever drives the coordinator's core.
using CallId = uint64_t;

// The parked calls of one kind, in the order of their arrival.
class ParkedCalls {
 public:
  struct Entry {
    CallId call = 0;
    absl::Time deadline = absl::InfiniteFuture();
    uint64_t owner = 0;        // who called: at most one call of an owner is worth parking
    uint64_t events_seen = 0;  // GetProgress only
  };

  void Park(const Entry& entry) { entries_.push_back(entry); }
  // Each takes calls out; the caller answers them.
  std::vector<Entry> TakeAll();
  std::vector<Entry> TakeExpired(absl::Time now);
  std::vector<Entry> TakeOwner(uint64_t owner);
  // The client has gone; false: not one of these.
  bool Forget(CallId call);

  const std::vector<Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  // The first deadline; InfiniteFuture: none.
  absl::Time NextDeadline() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_PARKED_CALLS_H_
