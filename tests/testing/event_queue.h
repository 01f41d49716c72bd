// Time, chance and the order of events of a simulation, all from one seed.
#ifndef CONVOY_TESTS_TESTING_EVENT_QUEUE_H_
#define CONVOY_TESTS_TESTING_EVENT_QUEUE_H_

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "absl/time/time.h"

namespace convoy::testing {

class EventQueue {
 public:
  EventQueue(uint64_t seed, absl::Duration max_delay) : random_(seed), max_delay_(max_delay) {}

  absl::Time now() const { return now_; }
  // Events of the same time run in the order of the calls.
  void After(absl::Duration delay, std::function<void()> run);
  bool empty() const { return events_.empty(); }
  // Time jumps to the next event, which runs.
  void RunNext();

  // Most are short, none is longer than `max_delay`.
  absl::Duration RandomDelay();
  uint64_t Random(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(random_);
  }
  bool Chance(double p) { return std::bernoulli_distribution(p)(random_); }

 private:
  struct Event {
    absl::Time at;
    uint64_t number;
    std::function<void()> run;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  std::mt19937_64 random_;
  const absl::Duration max_delay_;
  absl::Time now_ = absl::UnixEpoch();
  uint64_t next_event_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_EVENT_QUEUE_H_
