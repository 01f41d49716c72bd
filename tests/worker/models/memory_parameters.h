// A model's weights and gradients in memory, for tests: what a cluster would hold.
#ifndef CONVOY_TESTS_WORKER_MODELS_MEMORY_PARAMETERS_H_
#define CONVOY_TESTS_WORKER_MODELS_MEMORY_PARAMETERS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/math/variable.h"
#include "worker/data/batch.h"
#include "worker/layers/weights.h"

namespace convoy::testing {

class MemoryParameters : public WeightSource, public GradientSink {
 public:
  struct Event {
    enum Kind { kWeights, kReady } kind;
    int variable;
    int64_t begin = 0, end = 0;
    bool operator==(const Event&) const = default;
  };

  explicit MemoryParameters(const std::vector<VariableSpec>& variables);

  // Standard normal weights times `scale`.
  void Randomize(uint64_t seed, float scale);
  // The values that a job of this seed starts with.
  void Initialize(uint64_t seed);
  // weights -= rate * gradients.
  void Step(float rate);

  int count() const { return static_cast<int>(weights_.size()); }
  std::span<float> weights(int variable) { return weights_[variable].span(); }
  std::span<const float> gradient(int variable) const { return gradients_[variable].span(); }
  // All gradients, one after the other.
  std::vector<float> AllGradients() const;
  const std::vector<Event>& events() const { return events_; }
  // Weights(variable) fails with this from now on.
  void FailWeights(int variable, absl::Status status) { failing_ = variable, failure_ = status; }

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  // Filled with NaN, so that an element that is not written is seen.
  std::span<float> Gradient(int variable) override;
  absl::Status Ready(int variable, int64_t begin, int64_t end) override;

 private:
  const std::vector<VariableSpec> variables_;
  std::vector<AlignedBuffer> weights_;
  std::vector<AlignedBuffer> gradients_;
  std::vector<Event> events_;
  int failing_ = -1;
  absl::Status failure_;
};

// `size` examples of standard normal features, numbered from 100; labels i % classes, or standard
// normal if classes is 0.
Batch DenseBatch(int64_t size, int64_t features, int64_t classes, uint64_t seed = 7);
// The same as compressed rows, only those of at least 0.3: about 38 % of them.
Batch SparseBatch(int64_t size, int64_t features, int64_t classes, uint64_t seed = 7);
// A dense batch with the values of a sparse one.
Batch ToDense(const Batch& sparse);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_WORKER_MODELS_MEMORY_PARAMETERS_H_
