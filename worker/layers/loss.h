// Losses: what training minimises, and how scores (the last layer's outputs) become predictions.
// Immutable; may be used from any thread.
#ifndef CONVOY_WORKER_LAYERS_LOSS_H_
#define CONVOY_WORKER_LAYERS_LOSS_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace convoy {

class Loss {
 public:
  virtual ~Loss() = default;
  // Scores, and predictions, of one example.
  virtual int64_t outputs() const = 0;
  // Maps a label of the data to what Compute expects. InvalidArgument: not a label of this loss.
  virtual absl::Status CheckLabel(float label, float* mapped) const = 0;
  // Turns row-major `scores` [size, outputs()] into predictions.
  virtual void Predict(std::span<const float> scores, std::span<float> predictions) const = 0;
  // The sum of the losses of labels.size() examples, in doubles and in their order. `predictions`
  // are those of Predict for `scores`. Each example's loss is multiplied by its weight; `weights`
  // empty: all are 1. Writes the gradient of the sum with respect to the scores unless `gradient`
  // is empty. InvalidArgument: a label that CheckLabel would not have written.
  virtual absl::StatusOr<double> Compute(std::span<const float> scores,
                                         std::span<const float> predictions,
                                         std::span<const float> labels,
                                         std::span<const float> weights,
                                         std::span<float> gradient) const = 0;
};

// -log(softmax(scores)[label]), labels 0 .. classes - 1. Predictions: the probabilities.
class SoftmaxCrossEntropy : public Loss {
 public:
  explicit SoftmaxCrossEntropy(int64_t classes) : classes_(classes) {}
  int64_t outputs() const override { return classes_; }
  absl::Status CheckLabel(float label, float* mapped) const override;
  void Predict(std::span<const float> scores, std::span<float> predictions) const override;
  absl::StatusOr<double> Compute(std::span<const float> scores, std::span<const float> predictions,
                                 std::span<const float> labels, std::span<const float> weights,
                                 std::span<float> gradient) const override;

 private:
  const int64_t classes_;
};

// -log(P(label)) with P(1) = sigmoid(score); labels of the data 0/1 or -1/+1, mapped 0/1.
// Prediction: P(1).
class SigmoidCrossEntropy : public Loss {
 public:
  int64_t outputs() const override { return 1; }
  absl::Status CheckLabel(float label, float* mapped) const override;
  void Predict(std::span<const float> scores, std::span<float> predictions) const override;
  absl::StatusOr<double> Compute(std::span<const float> scores, std::span<const float> predictions,
                                 std::span<const float> labels, std::span<const float> weights,
                                 std::span<float> gradient) const override;
};

// (score - label)^2, without a factor 1/2: the gradient is 2 (score - label), and the mean loss is
// the square of the RMSE. Prediction: the score. Labels: any finite number.
class SquaredError : public Loss {
 public:
  int64_t outputs() const override { return 1; }
  absl::Status CheckLabel(float label, float* mapped) const override;
  void Predict(std::span<const float> scores, std::span<float> predictions) const override;
  absl::StatusOr<double> Compute(std::span<const float> scores, std::span<const float> predictions,
                                 std::span<const float> labels, std::span<const float> weights,
                                 std::span<float> gradient) const override;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_LOSS_H_
