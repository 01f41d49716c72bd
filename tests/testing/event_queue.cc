#include "tests/testing/event_queue.h"

#include <utility>

namespace convoy::testing {

void EventQueue::After(absl::Duration delay, std::function<void()> run) {
  events_.push({now_ + delay, next_event_++, std::move(run)});
}

void EventQueue::RunNext() {
  const Event event = events_.top();
  events_.pop();
  now_ = event.at;
  event.run();
}

absl::Duration EventQueue::RandomDelay() {
  const double x = std::uniform_real_distribution<double>(0, 1)(random_);
  return x * x * x * max_delay_ + absl::Microseconds(1);
}

}  // namespace convoy::testing
