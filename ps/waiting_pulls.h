// Pulls that could not be answered at once: what waits for later versions, or for slower workers.
#ifndef CONVOY_PS_WAITING_PULLS_H_
#define CONVOY_PS_WAITING_PULLS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "common/mutex.h"
#include "common/net/exchange.h"
#include "ps/pull_ticket.h"

namespace convoy {

// Thread-safe.
class WaitingPulls {
 public:
  // A pull waits for `timeout` at most.
  explicit WaitingPulls(absl::Duration timeout) : timeout_(timeout) {}

  // Takes what the reply and the rows hold. The ticket counts one for each thing that is pulled,
  // and one more, so that it is not sent before all are looked at.
  std::shared_ptr<PullTicket> Add(uint64_t stream, const ExchangeRequest& request, absl::Time now,
                                  ExchangeReply* reply, std::vector<RowPlaces>* rows);
  // The stream is gone: its pulls are not answered any more.
  void Forget(uint64_t stream);
  // Those whose time is up; the caller answers them, nobody else does.
  std::vector<std::shared_ptr<PullTicket>> TakeLate(absl::Time now);
  size_t count() const;

 private:
  const absl::Duration timeout_;
  mutable Mutex mutex_;
  std::deque<std::shared_ptr<PullTicket>> tickets_ CONVOY_GUARDED_BY(mutex_);
};

}  // namespace convoy

#endif  // CONVOY_PS_WAITING_PULLS_H_
