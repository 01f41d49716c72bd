#include "worker/timed_model.h"

#include <ctime>

namespace convoy {
namespace {

double SecondsOf(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Reading the clock of a thread's processor time takes a system call, and a batch of a small model
// does it thirty times: of the batches after the first ones only one of so many is measured.
constexpr uint64_t kMeasuredFirst = 32, kMeasuredOneOf = 8;

// Runs while the model computes.
class ComputeClock {
 public:
  // `delay`: null if the model is as fast as it is.
  explicit ComputeClock(ComputeDelay* delay) : delay_(delay) {
    if (delay_ != nullptr) delay_->BeginBatch();
    Resume();
  }
  void Stop() {
    seconds_ += SecondsOf(CLOCK_THREAD_CPUTIME_ID) - resumed_;
    // A slower processor takes longer by the clock on the wall.
    if (delay_ != nullptr) delay_->Computed(SecondsOf(CLOCK_MONOTONIC) - resumed_at_);
  }
  void Resume() {
    if (delay_ != nullptr) resumed_at_ = SecondsOf(CLOCK_MONOTONIC);
    resumed_ = SecondsOf(CLOCK_THREAD_CPUTIME_ID);
  }
  // Processor time so far.
  double seconds() const { return seconds_; }

 private:
  ComputeDelay* const delay_;
  double resumed_ = 0;     // processor time of the thread
  double resumed_at_ = 0;  // time
  double seconds_ = 0;
};

// The clock stands for as long as this lives.
class Pause {
 public:
  explicit Pause(ComputeClock* clock) : clock_(clock) { clock_->Stop(); }
  ~Pause() { clock_->Resume(); }

 private:
  ComputeClock* const clock_;
};

class PausingWeights final : public WeightSource {
 public:
  PausingWeights(WeightSource* weights, ComputeClock* clock) : weights_(weights), clock_(clock) {}
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    const Pause pause(clock_);
    return weights_->Weights(variable);
  }
  absl::StatusOr<TableRows> Rows(int table) override {
    const Pause pause(clock_);
    return weights_->Rows(table);
  }

 private:
  WeightSource* const weights_;
  ComputeClock* const clock_;
};

class PausingGradients final : public GradientSink {
 public:
  PausingGradients(GradientSink* gradients, ComputeClock* clock)
      : gradients_(gradients), clock_(clock) {}
  std::span<float> Gradient(int variable) override {
    const Pause pause(clock_);
    return gradients_->Gradient(variable);
  }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    const Pause pause(clock_);
    return gradients_->Ready(variable, begin, end);
  }
  std::span<float> RowGradients(int table) override {
    const Pause pause(clock_);
    return gradients_->RowGradients(table);
  }
  absl::Status RowsReady(int table) override {
    const Pause pause(clock_);
    return gradients_->RowsReady(table);
  }

 private:
  GradientSink* const gradients_;
  ComputeClock* const clock_;
};

}  // namespace

absl::StatusOr<BatchOutput> TimedModel::Train(const Batch& batch, WeightSource& weights,
                                              GradientSink& gradients) {
  const uint64_t batch_number = batches_++;
  const auto size = static_cast<double>(batch.size);
  examples_.store(examples() + static_cast<uint64_t>(batch.size), std::memory_order_relaxed);
  if (!delay_ && batch_number >= kMeasuredFirst && batch_number % kMeasuredOneOf != 0) {
    seconds_.store(compute_seconds() + seconds_per_example_ * size, std::memory_order_relaxed);
    return model_->Train(batch, weights, gradients);
  }
  ComputeClock clock(delay_ ? &*delay_ : nullptr);
  PausingWeights pausing_weights(&weights, &clock);
  PausingGradients pausing_gradients(&gradients, &clock);
  absl::StatusOr<BatchOutput> output = model_->Train(batch, pausing_weights, pausing_gradients);
  clock.Stop();
  if (batch.size > 0) seconds_per_example_ = clock.seconds() / size;
  seconds_.store(compute_seconds() + clock.seconds(), std::memory_order_relaxed);
  return output;
}

}  // namespace convoy
