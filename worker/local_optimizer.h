// The optimizer of a job where there is no server to run it: in local steps, and in mode single.
#ifndef CONVOY_WORKER_LOCAL_OPTIMIZER_H_
#define CONVOY_WORKER_LOCAL_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/checkpoint/init_values.h"
#include "common/math/variable.h"
#include "common/optimizers/optimizer.h"
#include "proto/job.pb.h"

namespace convoy {

// The optimizer of a job on all variables of a model, in memory. One thread. A weight after a step
// has the bits that a server's cell would give it.
class LocalOptimizer {
 public:
  struct Options {
    v1::Optimizer optimizer;
    uint64_t epoch_examples = 1;  // for the defaults of schedules
    uint64_t total_examples = 1;
    // Frozen variables have slots, too: they hand them on to whoever unfreezes them.
    bool slots_of_frozen = false;
  };
  // InvalidArgument: optimizer settings.
  static absl::StatusOr<std::unique_ptr<LocalOptimizer>> Create(
      Options options, const std::vector<VariableSpec>& variables);

  bool frozen(size_t variable) const { return variables_[variable].learning_rate == 0; }
  // Slots, and their counters of updates, as `values` has them.
  absl::Status Load(const InitValues& values);
  // What a checkpoint keeps of a variable: its slots (see Options::slots_of_frozen), and how often
  // the block of value `begin` was updated.
  std::vector<AlignedBuffer>& slots(size_t variable) { return variables_[variable].slots; }
  uint64_t Updates(size_t variable, uint64_t begin) const;
  // By block; for all variables before the first update.
  void SetUpdates(size_t variable, std::vector<int64_t> updates);
  // Slots and counters as at the beginning; anchors stay.
  void Reset();
  // What the variable is held near (optimizer.anchor), at first nothing; empty: it is not.
  std::span<float> anchors(size_t variable);
  // By which the schedule multiplies learning rates after `seen` examples.
  double RateFactor(uint64_t seen) const;
  // One update in place. `gradient`: sums over `examples` (at least 1), by variable; `seen`:
  // examples before this update.
  void Apply(const std::vector<AlignedBuffer>& gradient, uint64_t examples, uint64_t seen,
             std::vector<AlignedBuffer>* weights);

 private:
  struct Variable {
    std::unique_ptr<Optimizer> optimizer;
    double learning_rate = 0;  // 0: frozen
    std::vector<AlignedBuffer> slots;
    std::optional<size_t> anchors;        // the number of that slot
    std::vector<int64_t> loaded_updates;  // by block: those that came with the slots
  };
  static void Fill(Variable& variable, size_t slot);
  explicit LocalOptimizer(Options options) : options_(std::move(options)) {}

  const Options options_;
  std::vector<Variable> variables_;
  int64_t updates_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LOCAL_OPTIMIZER_H_
