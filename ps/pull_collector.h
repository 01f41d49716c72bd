// One pull while its request is handled: what is there goes into the reply at once, what is not is
// parked with a ticket.
#ifndef CONVOY_PS_PULL_COLLECTOR_H_
#define CONVOY_PS_PULL_COLLECTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/net/exchange.h"
#include "common/placement/placement.h"
#include "ps/pull_ticket.h"
#include "ps/shard.h"

namespace convoy {

// One thread.
class PullCollector {
 public:
  // `make_ticket` is called when the first part is parked: it takes the reply and the row places
  // over.
  using MakeTicket = std::function<std::shared_ptr<PullTicket>(ExchangeReply* reply,
                                                               std::vector<RowPlaces>* rows)>;

  // `pulled`: of each of the request's pull_rows. `reply` gets a place for every cell and row that
  // the request pulls.
  PullCollector(const ExchangeRequest& request, const Placement& placement, const Shard& shard,
                std::vector<RowIds> pulled, ExchangeReply* reply, MakeTicket make_ticket);

  std::vector<RowPlaces>* rows() { return &rows_; }
  // FailedPrecondition: the version is gone.
  absl::Status Collect();
  // Null: nothing was parked, the reply is complete.
  const std::shared_ptr<PullTicket>& ticket() const { return ticket_; }
  // Parts that are there.
  uint32_t done() const { return done_; }

 private:
  absl::Status CollectCell(Cell& cell, size_t index, uint32_t id);
  absl::Status CollectRows(size_t index);
  ParkedRows Parked();
  absl::Status Gone(const std::string& what, uint64_t now) const;
  const std::shared_ptr<PullTicket>& Ticket();
  ExchangeReply* reply() { return ticket_ == nullptr ? reply_ : &ticket_->reply; }

  const ExchangeRequest& request_;
  const Placement& placement_;
  const Shard& shard_;
  ExchangeReply* const reply_;
  const MakeTicket make_ticket_;
  std::vector<RowPlaces> rows_;
  std::shared_ptr<PullTicket> ticket_;
  uint32_t done_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_PS_PULL_COLLECTOR_H_
