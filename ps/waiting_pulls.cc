#include "ps/waiting_pulls.h"

#include <algorithm>
#include <utility>

namespace convoy {

std::shared_ptr<PullTicket> WaitingPulls::Add(uint64_t stream, const ExchangeRequest& request,
                                              absl::Time now, ExchangeReply* reply,
                                              std::vector<RowPlaces>* rows) {
  auto ticket = std::make_shared<PullTicket>();
  ticket->stream = stream;
  ticket->worker = request.worker;
  ticket->version = request.pull_version;
  ticket->since = now;
  ticket->deadline = now + timeout_;
  ticket->reply = std::move(*reply);
  ticket->rows = std::move(*rows);
  size_t parts = ticket->reply.cells.size() + (request.pull_applied ? 1 : 0) + 1;
  for (const RowPlaces& places : ticket->rows) parts += places.ids.runs.size();
  ticket->remaining = static_cast<uint32_t>(parts);
  MutexLock lock(mutex_);
  while (!tickets_.empty() && tickets_.front()->answered) tickets_.pop_front();
  tickets_.push_back(ticket);
  return ticket;
}

void WaitingPulls::Forget(uint64_t stream) {
  MutexLock lock(mutex_);
  for (const auto& ticket : tickets_) {
    if (ticket->stream == stream) ticket->answered = true;
  }
}

std::vector<std::shared_ptr<PullTicket>> WaitingPulls::TakeLate(absl::Time now) {
  std::vector<std::shared_ptr<PullTicket>> late;
  MutexLock lock(mutex_);
  for (const auto& ticket : tickets_) {
    if (ticket->deadline <= now && !ticket->answered.exchange(true)) late.push_back(ticket);
  }
  return late;
}

size_t WaitingPulls::count() const {
  MutexLock lock(mutex_);
  return static_cast<size_t>(std::count_if(tickets_.begin(), tickets_.end(),
                                           [](const auto& ticket) { return !ticket->answered; }));
}

}  // namespace convoy
