// The update rules, applied by servers to cells and by workers in local steps. Rows of embedding
// tables are updated by a RowUpdater, which uses the same rules and some that are not elementwise.
//
// A rule is elementwise: what happens to element i depends on element i of weights, slots and
// gradient only, so a cell may be updated piece by piece with the same bits as at once. Rules are
// immutable and may be used from any thread.
#ifndef CONVOY_COMMON_OPTIMIZERS_OPTIMIZER_H_
#define CONVOY_COMMON_OPTIMIZERS_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace convoy {

// What varies from update to update.
struct UpdateScalars {
  // Learning rate after the schedule.
  float learning_rate = 0;
  // Number of this real update of the cell, from 1 (bias correction).
  int64_t update = 1;
  // 1 / examples: the gradient is a sum over examples and is multiplied by this first.
  float inverse_count = 1;
};

// One contiguous piece of a cell: `size` floats each. `gradient` and `weights_in` may have any
// alignment; `weights_out` may equal `weights_in` but not overlap it otherwise.
struct UpdatePiece {
  const float* gradient;    // sum over examples
  const float* weights_in;  // weights of the current version
  float* weights_out;       // weights of the next version
  float* const* slots;      // num_slots() arrays, updated in place
  int64_t size;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Names of the slots in order, e.g. {"m", "v"} for Adam.
  virtual std::vector<std::string> slot_names() const = 0;
  // The value of each slot at version 0.
  virtual float initial_slot_value(int slot) const = 0;
  // One update of one piece. Clipping by value, L1, L2 and decay are included, in this order:
  // g = sum * inverse_count; clip; g += l2 * w + l1 * sign(w); the rule. What holds weights near
  // those loaded comes right after clipping (anchored.h).
  // (FTRL uses l1 and l2 inside its own formula.) sign(0) is 0. A NaN passes through clipping.
  virtual void Apply(const UpdateScalars& scalars, const UpdatePiece& piece) const = 0;

  int num_slots() const { return static_cast<int>(slot_names().size()); }
};

// The settings of one variable or column range: overrides already applied.
struct OptimizerSettings {
  std::string name;      // of the variable, or "TABLE/RANGE"; for messages
  v1::Optimizer config;  // the algorithm and its own parameters
  double learning_rate = 0.01;
  double l1 = 0, l2 = 0, weight_decay = 0, clip_value = 0;
  double anchor = 0;  // 0 also for what is frozen: it does not move
};

// Settings for the variable or column range `name`: of all overrides that match, the last one wins,
// field by field. The algorithm, also one that an override chooses, brings its weight decay:
// adamw.weight_decay, 0 for the others; a weight_decay of the same or a later override replaces it.
// optimizer.freeze makes the learning rate 0.
// InvalidArgument: a bad regular expression, or an override without one.
absl::StatusOr<OptimizerSettings> SettingsFor(const v1::Optimizer& config, std::string_view name);

// No algorithm set means sgd. A learning rate of 0 is allowed: it freezes the variable.
// InvalidArgument: a parameter out of range (also one that leaves its range when it is rounded to
// float32, as a beta2 of 0.9999999999 does), a weight_decay without adamw, or rowwise_adagrad,
// which is not elementwise.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const OptimizerSettings& settings);

// What MakeOptimizer checks for all algorithms alike: rate, penalties, clipping, decay.
absl::Status CheckCommonSettings(const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_OPTIMIZER_H_
