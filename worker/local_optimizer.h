// The optimizer of a job where there is no server to run it: in local steps, and in mode single.
#ifndef CONVOY_WORKER_LOCAL_OPTIMIZER_H_
#define CONVOY_WORKER_LOCAL_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/math/variable.h"
#include "common/optimizers/optimizer.h"
#include "proto/job.pb.h"

namespace convoy {

// The optimizer of a job on all variables of a model, in memory. One thread. A weight after a step has the bits that
// a server's cell would give it.
class LocalOptimizer {
 public:
  struct Options {
    v1::Optimizer optimizer;
    uint64_t epoch_examples = 1;   // for the defaults of schedules
    uint64_t total_examples = 1;
  };
  // InvalidArgument: optimizer settings.
  static absl::StatusOr<std::unique_ptr<LocalOptimizer>> Create(Options options,
                                                                const std::vector<VariableSpec>& variables);

  // Slots and counters as at the beginning.
  void Reset();
  // By which the schedule multiplies learning rates after `seen` examples.
  double RateFactor(uint64_t seen) const;
  // One update in place. `gradient`: sums over `examples` (at least 1), by variable; `seen`: examples before this update.
  void Apply(const std::vector<AlignedBuffer>& gradient, uint64_t examples, uint64_t seen,
             std::vector<AlignedBuffer>* weights);

 private:
  struct Variable {
    std::unique_ptr<Optimizer> optimizer;
    double learning_rate = 0;   // 0: frozen
    std::vector<AlignedBuffer> slots;
  };
  explicit LocalOptimizer(Options options) : options_(std::move(options)) {}

  const Options options_;
  std::vector<Variable> variables_;
  int64_t updates_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LOCAL_OPTIMIZER_H_
