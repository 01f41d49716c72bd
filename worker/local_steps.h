// Steps of the optimizer that a worker takes itself, on a copy of the weights, between two exchanges with the servers
// (local_sgd, geo). What it sends is how far it came. The optimizer's slots start anew in each round.
#ifndef CONVOY_WORKER_LOCAL_STEPS_H_
#define CONVOY_WORKER_LOCAL_STEPS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/math/variable.h"
#include "worker/gradient_rules.h"
#include "worker/local_optimizer.h"
#include "worker/models/model.h"

namespace convoy {

// One thread. Holds the weights, a gradient and the slots once.
class LocalSteps final : private WeightSource, private GradientSink {
 public:
  struct Options {
    LocalOptimizer::Options optimizer;
    bool skip_not_finite = false;   // training.nan_policy SKIP
    double clip_norm = 0;           // optimizer.clip_norm; 0: none
  };
  static absl::StatusOr<std::unique_ptr<LocalSteps>> Create(Options options,
                                                            const std::vector<VariableSpec>& variables);

  // Starts a round from `weights`, waiting for them.
  absl::Status Begin(WeightSource& weights);
  // One step on the mean gradient of `batch`; `seen`: examples before it, for the schedule. The result is the model's.
  absl::StatusOr<BatchOutput> Step(Model& model, const Batch& batch, uint64_t seen);
  // The same on a gradient over `examples` that `compute` gets from the weights, wherever it does.
  using Compute = std::function<absl::Status(WeightSource& weights, GradientSink& gradient)>;
  absl::Status Step(const Compute& compute, uint32_t examples, uint64_t seen);
  // Hands `factor` * (weights now - weights of Begin) to `sink`; `weights` must still give those of Begin.
  absl::Status End(WeightSource& weights, float factor, GradientSink& sink);

  // Steps without effect because the gradient was not finite, since the last call.
  uint64_t TakeSkipped();

 private:
  explicit LocalSteps(Options options) : options_(std::move(options)) {}

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  std::span<float> Gradient(int variable) override;
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  GradientSpans Spans();

  const Options options_;
  std::unique_ptr<LocalOptimizer> optimizer_;
  std::vector<AlignedBuffer> weights_, gradient_;   // by variable
  uint64_t skipped_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LOCAL_STEPS_H_
