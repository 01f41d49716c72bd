// The short way to a model of one's own: declare variables, write one function.
#ifndef CONVOY_WORKER_MODELS_SIMPLE_MODEL_H_
#define CONVOY_WORKER_MODELS_SIMPLE_MODEL_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "worker/layers/loss.h"
#include "worker/models/model.h"

namespace convoy {

// Base class of models whose gradients are reported together at the end of the batch. A derived
// class calls AddVariable in its constructor and implements Compute; batches are checked before
// that. Models with large layers do better as a LayeredModel, whose gradients leave earlier.
class SimpleModel : public Model {
 public:
  Task task() const override { return task_; }
  int64_t outputs() const override { return outputs_; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  std::span<const std::string> metrics() const override { return metrics_; }
  // By the task: any finite number; 0/1 or -1/+1; an integer below outputs().
  absl::Status CheckLabel(float label, float* mapped) const override;
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override;
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override;

 protected:
  // `outputs`: 1, or the classes of kMulticlass.
  SimpleModel(Task task, int64_t outputs, const ModelInput& input);

  // Declares a variable and returns its number. To be called in the constructor.
  int AddVariable(std::string name, std::vector<int64_t> shape, Initializer initializer);

  // Declares a metric and returns its number. To be called in the constructor.
  int AddMetric(std::string name);
  // Compute adds what the examples of the batch contribute; the mean over the examples is reported.
  void AddToMetric(int metric, double value) { metric_sums_[static_cast<size_t>(metric)] += value; }

  // Writes the predictions, row-major [batch.size, outputs()], and returns the sum of the losses of
  // the examples (0 if the batch has no labels). A class whose loss multiplies each example by
  // batch.weights (where they are not empty) overrides weighs_examples(). `weights[v]` and
  // `gradients[v]` are of variable v, row-major. In training gradients are zeros to which the
  // derivatives of the sum are added, else `gradients` is empty. The result must be a function of
  // the arguments alone.
  virtual absl::StatusOr<double> Compute(const Batch& batch,
                                         std::span<const std::span<const float>> weights,
                                         std::span<const std::span<float>> gradients,
                                         std::span<float> predictions) = 0;

 private:
  absl::StatusOr<BatchOutput> Run(const Batch& batch, WeightSource& weights,
                                  std::span<const std::span<float>> gradients);

  const Task task_;
  const int64_t outputs_;
  const int64_t features_;
  const bool sparse_;
  const std::unique_ptr<const Loss> labels_;
  std::vector<VariableSpec> variables_;
  std::vector<std::string> metrics_;
  std::vector<double> metric_sums_;  // of the batch
  AlignedBuffer predictions_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_SIMPLE_MODEL_H_
