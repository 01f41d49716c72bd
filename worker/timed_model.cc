#include "worker/timed_model.h"

#include <ctime>

namespace convoy {
namespace {

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Stands for as long as the clock does not run.
class Pause {
 public:
  explicit Pause(double* paused) : paused_(paused), begin_(ThreadSeconds()) {}
  ~Pause() { *paused_ += ThreadSeconds() - begin_; }

 private:
  double* const paused_;
  const double begin_;
};

class PausingWeights final : public WeightSource {
 public:
  PausingWeights(WeightSource* weights, double* paused) : weights_(weights), paused_(paused) {}
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    const Pause pause(paused_);
    return weights_->Weights(variable);
  }
  absl::StatusOr<TableRows> Rows(int table) override {
    const Pause pause(paused_);
    return weights_->Rows(table);
  }

 private:
  WeightSource* const weights_;
  double* const paused_;
};

class PausingGradients final : public GradientSink {
 public:
  PausingGradients(GradientSink* gradients, double* paused) : gradients_(gradients), paused_(paused) {}
  std::span<float> Gradient(int variable) override {
    const Pause pause(paused_);
    return gradients_->Gradient(variable);
  }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    const Pause pause(paused_);
    return gradients_->Ready(variable, begin, end);
  }
  std::span<float> RowGradients(int table) override {
    const Pause pause(paused_);
    return gradients_->RowGradients(table);
  }
  absl::Status RowsReady(int table) override {
    const Pause pause(paused_);
    return gradients_->RowsReady(table);
  }

 private:
  GradientSink* const gradients_;
  double* const paused_;
};

}  // namespace

absl::StatusOr<BatchOutput> TimedModel::Train(const Batch& batch, WeightSource& weights, GradientSink& gradients) {
  double paused = 0;
  PausingWeights pausing_weights(&weights, &paused);
  PausingGradients pausing_gradients(&gradients, &paused);
  const double begin = ThreadSeconds();
  absl::StatusOr<BatchOutput> output = model_->Train(batch, pausing_weights, pausing_gradients);
  seconds_.store(compute_seconds() + ThreadSeconds() - begin - paused, std::memory_order_relaxed);
  return output;
}

}  // namespace convoy
