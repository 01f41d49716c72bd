// What differs between the consistency modes, and all that differs: when a push is applied and when a
// pull is answered. Everything else (marks, versions, parked pulls, replies) is one mechanism.
#ifndef CONVOY_PS_CONSISTENCY_H_
#define CONVOY_PS_CONSISTENCY_H_

#include <cstdint>

#include "common/mode.h"

namespace convoy {

struct ConsistencyPolicy {
  enum class Apply {
    kRounds,   // when all slices of the step are there: tree sum, one update
    kAtOnce,   // on arrival
  };
  enum class Answer {
    kExactVersion,   // with exactly the version asked for: the current or the previous one
    kNewest,         // at once
    kClockBound,     // when no worker is more than `bound` clocks behind; with the newest version
  };
  Apply apply = Apply::kRounds;
  Answer answer = Answer::kExactVersion;
  uint32_t bound = 0;

  static ConsistencyPolicy For(const Mode& mode) {
    switch (mode.kind) {
      case Mode::Kind::kSync: return {Apply::kRounds, Answer::kExactVersion, 0};
      case Mode::Kind::kAsync: return {Apply::kAtOnce, Answer::kNewest, 0};
      case Mode::Kind::kSsp: return {Apply::kAtOnce, Answer::kClockBound, mode.bound};
    }
    return {};
  }
};

}  // namespace convoy

#endif  // CONVOY_PS_CONSISTENCY_H_
