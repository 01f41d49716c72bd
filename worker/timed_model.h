// How much processor time a model takes, apart from waiting for weights and sending gradients: what
// one process alone would need for the same work.
#ifndef CONVOY_WORKER_TIMED_MODEL_H_
#define CONVOY_WORKER_TIMED_MODEL_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/compute_delay.h"
#include "worker/models/model.h"

namespace convoy {

// The model that it is made of, with a clock around Train. One thread, but for compute_seconds().
class TimedModel final : public Model {
 public:
  explicit TimedModel(std::unique_ptr<Model> model) : model_(std::move(model)) {}

  Task task() const override { return model_->task(); }
  int64_t outputs() const override { return model_->outputs(); }
  const std::vector<VariableSpec>& variables() const override { return model_->variables(); }
  const std::vector<TableSpec>& tables() const override { return model_->tables(); }
  void AppendIds(const Batch& batch, int table, std::vector<uint64_t>* ids) const override {
    model_->AppendIds(batch, table, ids);
  }
  std::span<const std::string> metrics() const override { return model_->metrics(); }
  bool weighs_examples() const override { return model_->weighs_examples(); }
  int64_t activation_bytes() const override { return model_->activation_bytes(); }
  absl::Status CheckLabel(float label, float* mapped) const override {
    return model_->CheckLabel(label, mapped);
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override;
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override {
    return model_->Evaluate(batch, weights);
  }

  // From now on Train takes longer (rehearsal.slow_worker). Before Train, at most once.
  void SlowDown(Slowness slowness) { delay_.emplace(std::move(slowness)); }
  // Time that Train slept for that. Any thread, after SlowDown.
  double delayed_seconds() const { return delay_ ? delay_->slept_seconds() : 0; }

  // Processor time of the calling threads inside Train so far; most batches of a long training are
  // taken to need as much for an example as the last one that was measured. Any thread.
  double compute_seconds() const { return seconds_.load(std::memory_order_relaxed); }
  // Examples of the batches of Train so far. Any thread.
  uint64_t examples() const { return examples_.load(std::memory_order_relaxed); }

 private:
  const std::unique_ptr<Model> model_;
  std::optional<ComputeDelay> delay_;
  uint64_t batches_ = 0;            // that have begun
  double seconds_per_example_ = 0;  // of the last one that was measured
  std::atomic<double> seconds_{0};
  std::atomic<uint64_t> examples_{0};
};

}  // namespace convoy

#endif  // CONVOY_WORKER_TIMED_MODEL_H_
