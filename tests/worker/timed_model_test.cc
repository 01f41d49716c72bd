#include "worker/timed_model.h"

#include <gtest/gtest.h>

#include <ctime>
#include <memory>
#include <utility>

#include "tests/worker/one_weight.h"

namespace convoy {
namespace {

// Uses the processor.
void Work(double milliseconds) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
  };
  for (const double begin = now(); now() - begin < milliseconds;) {
  }
}

class SlowToPull final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    Work(2);
    return pulled_.Weights(variable);
  }

 private:
  Pulled pulled_;
};

// Batches that are not measured are counted, too, and what pulls and pushes take is not.
TEST(TimedModelTest, ProcessorTimeIsThatOfTheModelInAllBatches) {
  auto model = std::make_unique<SumModel>();
  int trained = 0;
  model->on_train = [&trained] {
    ++trained;
    Work(0.2);
  };
  TimedModel timed(std::move(model));
  SlowToPull weights;
  Sent gradients;
  const Batch batch = BatchOf({1, 2, 3});
  for (int i = 1; i <= 200; ++i) {
    ASSERT_TRUE(timed.Train(batch, weights, gradients).ok());
    ASSERT_EQ(timed.examples(), 3u * static_cast<uint64_t>(i));
    ASSERT_GE(timed.compute_seconds(), 0.2e-3 * i) << "after " << i << " batches";
  }
  EXPECT_EQ(trained, 200);
  EXPECT_LT(timed.compute_seconds(), 200 * 1e-3) << "2 ms of pulling are not the model's";
}

}  // namespace
}  // namespace convoy
