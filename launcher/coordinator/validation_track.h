// How a job's validations develop: the best so far, and whether there is still progress.
#ifndef CONVOY_LAUNCHER_COORDINATOR_VALIDATION_TRACK_H_
#define CONVOY_LAUNCHER_COORDINATOR_VALIDATION_TRACK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "proto/job.pb.h"

namespace convoy {

// Not thread-safe.
class ValidationTrack {
 public:
  // What is to be known to go on.
  struct State {
    std::optional<double> best;  // none: no validation has had a value yet
    uint64_t best_key = 0;
    uint64_t since_best = 0;  // validations
    uint64_t last_key = 0;    // 0: none
  };

  // By checkpoint.best or training.early_stopping; follows nothing if there is neither.
  explicit ValidationTrack(const v1::Job& job);

  // "validation/loss"; "": nothing is followed.
  const std::string& metric() const { return metric_; }
  // training.early_stopping is set.
  bool decides() const { return patience_ > 0; }
  const State& state() const { return state_; }
  void GoOn(const State& state) { state_ = state; }

  // A validation: `key` grows from one to the next, >= 1 (one that is not new is ignored); no
  // value: it is not a number, which is no improvement. Returns whether it is the best so far.
  bool Add(uint64_t key, std::optional<double> value);
  // There was no progress for too long.
  bool Exhausted() const { return decides() && state_.since_best >= patience_; }
  // In words: "validation/loss has not improved for 3 validations; the best was 0.331".
  std::string Reason() const;

 private:
  std::string metric_;
  bool lower_is_better_ = true;
  uint64_t patience_ = 0;  // 0: the training does not end for this reason
  double min_delta_ = 0;
  State state_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_VALIDATION_TRACK_H_
