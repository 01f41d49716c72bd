// A pull that could not be answered at once: what it has collected and what it still waits for.
#ifndef CONVOY_PS_PULL_TICKET_H_
#define CONVOY_PS_PULL_TICKET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "common/net/exchange.h"
#include "ps/buffer_pool.h"
#include "ps/table/row_places.h"

namespace convoy {

// The value of a cell at one version.
struct CellVersion {
  uint64_t version = 0;
  VersionBuffer values;  // null for the server's own cell, which has none
};

// Filled in by the threads that complete the awaited steps: each cell's thread writes its own
// element of `reply.cells` and then counts down; the one that reaches zero sends the reply.
struct PullTicket {
  uint64_t stream = 0;
  uint32_t worker = 0;
  uint64_t version = 0;  // asked for
  absl::Time since, deadline;
  ExchangeReply reply;
  std::vector<RowPlaces> rows;  // as reply.rows
  std::atomic<uint32_t> remaining{0};
  // Set by whoever answers: the last cell or the deadline.
  std::atomic<bool> answered{false};

  // As element `index` of reply.cells; kNoValues: the server's own step.
  static constexpr size_t kNoValues = ~size_t{0};
  void Fill(size_t index, const CellVersion& value) { Fill(index, value, &reply); }
  static void Fill(size_t index, const CellVersion& value, ExchangeReply* reply) {
    if (index == kNoValues) {
      reply->applied_step = value.version;
    } else {
      reply->cells[index] = {reply->cells[index].cell, value.version,
                             Payload(*value.values, value.values)};
    }
  }
};

// A place in a parked pull: element `index` of the ticket's reply.
struct ParkedPull {
  std::shared_ptr<PullTicket> ticket;
  size_t index = 0;
  uint64_t version = 0;  // wanted
};

}  // namespace convoy

#endif  // CONVOY_PS_PULL_TICKET_H_
