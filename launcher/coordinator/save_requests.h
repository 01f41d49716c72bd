// Who has asked for a checkpoint, and what became of it.
#ifndef CONVOY_LAUNCHER_COORDINATOR_SAVE_REQUESTS_H_
#define CONVOY_LAUNCHER_COORDINATOR_SAVE_REQUESTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// A request is named by its ticket and is answered by the outcome of the first checkpoint that was
// begun after it: an order (SnapshotOrder.number) or a later one. Outcomes are kept for a while:
// the answer may have to be given again. Not thread-safe.
class SaveRequests {
 public:
  using Outcome = absl::StatusOr<v1::SaveCheckpointReply>;

  // A new request; returns its ticket. `first_order`: the first that will do.
  uint64_t Open(uint64_t first_order);
  // Order `order` was committed, or why it could not be; answers those that it will do for.
  void Resolve(uint64_t order, const Outcome& outcome);
  // No further checkpoint will be taken; answers all that are open.
  void ResolveAll(const Outcome& outcome);
  // What became of a request; nullopt: nothing yet. NotFound: there is no such ticket.
  absl::StatusOr<std::optional<Outcome>> Find(uint64_t ticket) const;

 private:
  void Keep(uint64_t ticket, Outcome outcome);

  uint64_t last_ticket_ = 0;
  std::map<uint64_t, uint64_t> open_;  // by ticket: first order
  std::map<uint64_t, Outcome> done_;   // by ticket: the newest ones
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_SAVE_REQUESTS_H_
