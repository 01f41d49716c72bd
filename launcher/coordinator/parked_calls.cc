#include "launcher/coordinator/parked_calls.h"

#include <algorithm>
#include <utility>

namespace convoy {
namespace {

template <typename Predicate>
std::vector<ParkedCalls::Entry> TakeIf(std::vector<ParkedCalls::Entry>* entries,
                                       const Predicate& wanted) {
  std::vector<ParkedCalls::Entry> taken, kept;
  for (const auto& entry : *entries) (wanted(entry) ? taken : kept).push_back(entry);
  if (!taken.empty()) *entries = std::move(kept);
  return taken;
}

}  // namespace

std::vector<ParkedCalls::Entry> ParkedCalls::TakeAll() { return std::exchange(entries_, {}); }

std::vector<ParkedCalls::Entry> ParkedCalls::TakeExpired(absl::Time now) {
  return TakeIf(&entries_, [now](const Entry& entry) { return entry.deadline <= now; });
}

std::vector<ParkedCalls::Entry> ParkedCalls::TakeOwner(uint64_t owner) {
  return TakeIf(&entries_, [owner](const Entry& entry) { return entry.owner == owner; });
}

bool ParkedCalls::Forget(CallId call) {
  return std::erase_if(entries_, [call](const Entry& entry) { return entry.call == call; }) > 0;
}

absl::Time ParkedCalls::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const Entry& entry : entries_) next = std::min(next, entry.deadline);
  return next;
}

}  // namespace convoy
