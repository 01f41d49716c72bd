// A model of one's own: a line through data with outliers. Huber's loss (1964) is squared error for
// small errors and grows only linearly beyond `delta`, so that a few wild values do not bend the
// line.
#include <convoy/launcher/main.h>
#include <convoy/worker/models/simple_model.h>

#include <cmath>
#include <memory>
#include <string>

namespace {

class HuberRegression : public convoy::SimpleModel {
 public:
  HuberRegression(const convoy::ModelInput& input, float delta)
      : SimpleModel(Task::kRegression, /*outputs=*/1, input), delta_(delta) {
    weight_ = AddVariable("head/weight", {input.features, 1}, convoy::Initializer::Zeros());
    bias_ = AddVariable("head/bias", {1}, convoy::Initializer::Zeros());
    within_delta_ = AddMetric("within_delta");  // the fraction of examples that is predicted well
  }

 protected:
  absl::StatusOr<double> Compute(const convoy::Batch& batch,
                                 std::span<const std::span<const float>> weights,
                                 std::span<const std::span<float>> gradients,
                                 std::span<float> predictions) override {
    double loss = 0;
    for (int64_t i = 0; i < batch.size; ++i) {
      predictions[i] = weights[bias_][0];
      for (int64_t k = batch.row_offsets[i]; k < batch.row_offsets[i + 1]; ++k) {
        predictions[i] += batch.values[k] * weights[weight_][batch.columns[k]];
      }
      if (batch.labels.empty()) continue;  // `predict`
      const float error = predictions[i] - batch.labels[i];
      const float size = std::abs(error);
      const bool within = size <= delta_;
      AddToMetric(within_delta_, within ? 1 : 0);
      loss += within ? 0.5 * error * error : delta_ * (size - 0.5 * delta_);
      if (gradients.empty()) continue;  // validation, `evaluate`
      const float slope = within ? error : std::copysign(delta_, error);
      for (int64_t k = batch.row_offsets[i]; k < batch.row_offsets[i + 1]; ++k) {
        gradients[weight_][batch.columns[k]] += slope * batch.values[k];
      }
      gradients[bias_][0] += slope;
    }
    return loss;
  }

 private:
  const float delta_;
  int weight_ = 0, bias_ = 0, within_delta_ = 0;
};

absl::StatusOr<std::unique_ptr<convoy::Model>> MakeHuber(const convoy::v1::Model& config,
                                                         const convoy::ModelInput& input) {
  const auto& parameters = config.custom().parameters();
  const auto delta = parameters.find("delta");
  const float value =
      delta == parameters.end() ? 1.0f : std::strtof(delta->second.c_str(), nullptr);
  if (!(value > 0)) return absl::InvalidArgumentError("parameter delta must be a number > 0");
  if (!input.sparse) return absl::InvalidArgumentError("it reads libsvm files: sparse features");
  return std::make_unique<HuberRegression>(input, value);
}

}  // namespace

int main(int argc, char** argv) { return convoy::Main(argc, argv, {{"huber", &MakeHuber}}); }
