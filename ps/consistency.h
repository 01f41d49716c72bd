// What differs between the consistency modes, and all that differs: when a push is applied, how,
// and when a pull is answered. Everything else (marks, versions, parked pulls, replies) is one
// mechanism.
#ifndef CONVOY_PS_CONSISTENCY_H_
#define CONVOY_PS_CONSISTENCY_H_

#include <cstdint>
#include <optional>

#include "common/mode.h"
#include "common/optimizers/difference.h"

namespace convoy {

struct ConsistencyPolicy {
  enum class Apply {
    kRounds,  // when the slices of the step are there: tree sum, one update
    kAtOnce,  // on arrival
  };
  enum class Update {
    kOptimizer,  // the contributions are gradients
    kAverage,    // they are differences of weights: the average over the slices is added
    kAdd,        // they are differences of weights: each is added
  };
  enum class Answer {
    kExactVersion,  // with exactly the version asked for: the current or the previous one
    kAtLeast,       // with the newest version, once it is the one asked for or a later one
    kNewest,        // at once
    kClockBound,    // when no worker is more than `bound` clocks behind; with the newest version
  };
  Apply apply = Apply::kRounds;
  Update update = Update::kOptimizer;
  Answer answer = Answer::kExactVersion;
  uint32_t bound = 0;
  // kRounds: slices of a step that are not waited for. The first others make the update; what comes
  // later is dropped (Chen et al., "Revisiting distributed synchronous SGD", 2016).
  uint32_t backup = 0;
  // kAtOnce: the learning rate is divided by 1 + staleness (Zhang et al., "Staleness-aware
  // async-SGD for distributed deep learning", IJCAI 2016).
  bool scale_by_staleness = false;

  // How differences of weights are added up; nullopt: the contributions are gradients.
  std::optional<DifferenceRule> difference() const {
    if (update == Update::kOptimizer) return std::nullopt;
    return update == Update::kAverage ? DifferenceRule::kAverage : DifferenceRule::kAdd;
  }

  static ConsistencyPolicy For(const Mode& mode) {
    ConsistencyPolicy policy;
    switch (mode.kind) {
      case Mode::Kind::kSync:
        policy.backup = mode.backup;
        if (mode.backup > 0) policy.answer = Answer::kAtLeast;
        break;
      case Mode::Kind::kAsync:
        policy.apply = Apply::kAtOnce;
        policy.answer = Answer::kNewest;
        policy.scale_by_staleness = mode.scale_by_staleness;
        break;
      case Mode::Kind::kSsp:
        policy.apply = Apply::kAtOnce;
        policy.answer = Answer::kClockBound;
        policy.bound = mode.bound;
        break;
      case Mode::Kind::kLocalSgd:
        policy.update = Update::kAverage;
        break;
      case Mode::Kind::kGeo:
        policy.apply = Apply::kAtOnce;
        policy.update = Update::kAdd;
        policy.answer = Answer::kNewest;
        break;
      case Mode::Kind::kSingle:  // has no servers
        break;
    }
    return policy;
  }
};

}  // namespace convoy

#endif  // CONVOY_PS_CONSISTENCY_H_
