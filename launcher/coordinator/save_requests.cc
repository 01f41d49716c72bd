#include "launcher/coordinator/save_requests.h"

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

constexpr size_t kOutcomesKept = 256;

}  // namespace

uint64_t SaveRequests::Open(uint64_t first_order) {
  open_[++last_ticket_] = first_order;
  return last_ticket_;
}

void SaveRequests::Keep(uint64_t ticket, Outcome outcome) {
  if (outcome.ok()) outcome->set_ticket(ticket);
  done_.emplace(ticket, std::move(outcome));
  if (done_.size() > kOutcomesKept) done_.erase(done_.begin());
}

void SaveRequests::Resolve(uint64_t order, const Outcome& outcome) {
  std::erase_if(open_, [&](const auto& request) {
    if (request.second > order) return false;
    Keep(request.first, outcome);
    return true;
  });
}

void SaveRequests::ResolveAll(const Outcome& outcome) {
  for (const auto& [ticket, order] : std::exchange(open_, {})) Keep(ticket, outcome);
}

absl::StatusOr<std::optional<SaveRequests::Outcome>> SaveRequests::Find(uint64_t ticket) const {
  if (const auto done = done_.find(ticket); done != done_.end()) return std::optional(done->second);
  if (open_.contains(ticket)) return std::optional<Outcome>();
  return absl::NotFoundError(
      absl::StrCat("ticket ", ticket, ": no such request for a checkpoint is known"));
}

}  // namespace convoy
