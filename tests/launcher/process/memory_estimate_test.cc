#include "launcher/process/memory_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/job/defaults.h"
#include "common/net/shared_memory.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

// One variable of 10 blocks: 655,360 values, 2,621,440 bytes.
constexpr int64_t kValues = 10 * 65536;
constexpr uint64_t kBytes = 4 * kValues;

class MemoryEstimateTest : public ::testing::Test {
 protected:
  MemoryEstimateTest() {
    job_.mutable_cluster()->set_servers(1);
    job_.mutable_cluster()->set_workers(2);
    job_.mutable_cluster()->set_shared_memory(false);
    job_.mutable_training()->set_batch_size(100);
    job_.mutable_data()->set_shuffle(false);
    data_.set_examples(5000);
    data_.set_example_bytes(40);
  }

  MemoryEstimate Estimate() {
    const std::vector<VariableSpec> variables = {{"weight", {kValues}, Initializer::Zeros()}};
    const auto estimate = EstimateMemory(ResolveDefaults(job_), variables, data_);
    EXPECT_TRUE(estimate.ok()) << estimate.status();
    return estimate.ok() ? *estimate : MemoryEstimate();
  }

  v1::Job job_;
  v1::DataSummary data_;
};

TEST_F(MemoryEstimateTest, ASyncServerHoldsWeightsTwiceTheBudgetThePoolAndSlots) {
  // 2 versions + 0 slots of sgd + 2 gradients + the pool, as large as the weights.
  EXPECT_EQ(Estimate().server, kProcessBytes + 5 * kBytes);
  job_.mutable_optimizer()->mutable_momentum();
  EXPECT_EQ(Estimate().server, kProcessBytes + 6 * kBytes);
  job_.mutable_optimizer()->mutable_adam();
  EXPECT_EQ(Estimate().server, kProcessBytes + 7 * kBytes);
  job_.mutable_cluster()->set_out_of_order_budget(0.5);
  EXPECT_EQ(Estimate().server, kProcessBytes + 5 * kBytes + kBytes / 2);
}

TEST_F(MemoryEstimateTest, AWorkerHoldsWhatItsLayersPutOutForABatchOrForWhatItMeasures) {
  const uint64_t without = Estimate().worker;
  data_.set_activation_bytes(1000);
  EXPECT_EQ(Estimate().worker, without + 50 * 1000) << "of 100 examples in two slices";
  data_.set_validation_examples(70);
  EXPECT_EQ(Estimate().worker, without + 70 * 1000);
  data_.set_test_examples(5000);
  EXPECT_EQ(Estimate().worker, without + 256 * 1000);
}

TEST_F(MemoryEstimateTest, SlotsAreThoseOfTheRuleThatOverridesChoose) {
  v1::Override& entry = *job_.mutable_optimizer()->add_override();
  entry.set_match("weight");
  entry.mutable_adam();
  EXPECT_EQ(Estimate().server, kProcessBytes + 7 * kBytes);
  // Of two variables of a size, one has 2 slots and one none.
  const std::vector<VariableSpec> two = {{"weight", {kValues / 2}, Initializer::Zeros()},
                                         {"other", {kValues / 2}, Initializer::Zeros()}};
  EXPECT_EQ(EstimateMemory(ResolveDefaults(job_), two, data_)->server, kProcessBytes + 6 * kBytes);
}

TEST_F(MemoryEstimateTest, AnAnchorIsASlotMoreUnlessTheVariableIsFrozen) {
  job_.mutable_optimizer()->set_anchor(0.5);
  EXPECT_EQ(Estimate().server, kProcessBytes + 6 * kBytes);
  job_.mutable_optimizer()->mutable_adam();
  EXPECT_EQ(Estimate().server, kProcessBytes + 8 * kBytes);
  job_.mutable_optimizer()->add_freeze("weight");
  EXPECT_EQ(Estimate().server, kProcessBytes + 7 * kBytes);
}

TEST_F(MemoryEstimateTest, AnAnchorIsOnServersAndWorkersWhereWorkersTakeTheSteps) {
  job_.mutable_optimizer()->mutable_adam();
  for (const char* mode : {"local_sgd:4", "geo:4"}) {
    job_.mutable_training()->set_mode(mode);
    job_.mutable_optimizer()->clear_anchor();
    const MemoryEstimate without = Estimate();
    job_.mutable_optimizer()->set_anchor(0.5);
    EXPECT_EQ(Estimate().server, without.server + kBytes) << mode;
    EXPECT_EQ(Estimate().worker, without.worker + kBytes) << mode;
  }
}

TEST_F(MemoryEstimateTest, ReplayTakesTheOrderOfTheOldExamplesAndABatchOfThem) {
  job_.mutable_data()->set_shuffle(true);
  const uint64_t without = Estimate().worker;
  data_.set_old_examples(1000);
  // Batches of 50 examples of a slice, 40 bytes each.
  EXPECT_EQ(Estimate().worker, without + 1000 * 4 + 50 * 40);
}

TEST_F(MemoryEstimateTest, ARuleThatIsForTablesOnlyIsRefusedBeforeAnythingStarts) {
  job_.mutable_optimizer()->mutable_rowwise_adagrad();
  const std::vector<VariableSpec> variables = {{"weight", {kValues}, Initializer::Zeros()}};
  const absl::Status status = EstimateMemory(ResolveDefaults(job_), variables, data_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"weight\" is a dense variable"));
}

TEST_F(MemoryEstimateTest, WithOneSliceNoContributionWaitsForAnother) {
  job_.mutable_training()->set_slices(1);
  EXPECT_EQ(Estimate().server, kProcessBytes + 3 * kBytes);
}

TEST_F(MemoryEstimateTest, AnAsyncServerHoldsWhatItsWorkersHaveUnderWay) {
  job_.mutable_training()->set_mode("async");
  job_.mutable_cluster()->set_in_flight_bytes(1000);
  EXPECT_EQ(Estimate().server, kProcessBytes + 3 * kBytes + 2 * 1000);
}

TEST_F(MemoryEstimateTest, WhatAWorkerSharesWithEachServerIsCountedOnce) {
  const MemoryEstimate without = Estimate();
  job_.mutable_cluster()->set_shared_memory(true);
  EXPECT_EQ(Estimate().server, without.server);
  EXPECT_EQ(Estimate().worker, without.worker + 2 * SharedMemory::kHalfBytes);
  job_.mutable_cluster()->set_servers(2);
  EXPECT_EQ(Estimate().worker, without.worker + 4 * SharedMemory::kHalfBytes);
  job_.mutable_cluster()->set_unix_sockets(false);
  EXPECT_EQ(Estimate().worker, without.worker);
}

TEST_F(MemoryEstimateTest, WithBackupsAllSlicesOfAStepMayWait) {
  job_.mutable_training()->set_mode("sync,backup=1");
  job_.mutable_training()->set_slices(4);
  EXPECT_EQ(Estimate().server, kProcessBytes + 7 * kBytes);  // 2 versions, 4 gradients, the pool
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 2 * 25 * 40);
}

TEST_F(MemoryEstimateTest, SlotsOfLocalStepsAreTheWorkers) {
  for (const char* mode : {"local_sgd:8", "geo:8"}) {
    job_.mutable_training()->set_mode(mode);
    job_.mutable_optimizer()->mutable_adam();
    // 2 slots, and the weights on which the worker goes on.
    EXPECT_EQ(Estimate().worker, kProcessBytes + 7 * kBytes + 2 * 50 * 40);
  }
  job_.mutable_cluster()->set_in_flight_bytes(1000);
  EXPECT_EQ(Estimate().server, kProcessBytes + 3 * kBytes + 2 * 1000);  // geo
  job_.mutable_training()->set_mode("local_sgd:8");
  EXPECT_EQ(Estimate().server, kProcessBytes + 5 * kBytes);
}

TEST_F(MemoryEstimateTest, ASingleProcessHoldsWeightsSlotsAndTheSumsOfTheTree) {
  job_.mutable_training()->set_mode("single");
  job_.mutable_training()->set_slices(4);
  job_.mutable_optimizer()->mutable_momentum();
  EXPECT_EQ(Estimate().server, 0u);
  // Weights, 1 slot, the gradient, sums of 1 and 2 slices.
  EXPECT_EQ(Estimate().worker, kProcessBytes + 5 * kBytes + 2 * 25 * 40);
}

TEST_F(MemoryEstimateTest, EachThreadOfAWorkerHoldsAGradientBatchesAndAnOrder) {
  job_.mutable_cluster()->set_threads_per_worker(3);
  job_.mutable_data()->set_shuffle(true);
  // 6 slices of at most 17 examples.
  const uint64_t data = 3 * (2 * 17 * 40 + 4 * 5000);
  EXPECT_EQ(Estimate().worker, kProcessBytes + (4 + 3) * kBytes + data);
  job_.mutable_training()->set_mode("async");
  EXPECT_EQ(Estimate().worker, kProcessBytes + (4 + 3) * kBytes + data);
  job_.mutable_optimizer()->mutable_adam();
  job_.mutable_training()->set_mode("geo:2");  // one copy of weights and 2 slots goes on
  EXPECT_EQ(Estimate().worker, kProcessBytes + (7 + 3) * kBytes + data);
  job_.mutable_training()->set_mode("local_sgd:2");  // three of weights, a gradient and 2 slots
  EXPECT_EQ(Estimate().worker, kProcessBytes + (7 + 3 + 2 * 4) * kBytes + data);
  job_.mutable_training()->set_mode("single");
  // Weights, 2 slots, sums of 1, 2, 4 and 6 slices, the gradients of two other threads.
  EXPECT_EQ(Estimate().worker, kProcessBytes + (3 + 4 + 2) * kBytes + data);
}

TEST_F(MemoryEstimateTest, TheServerWithMostBlocksCounts) {
  job_.mutable_cluster()->set_servers(3);  // 10 blocks: 4, 3, 3
  EXPECT_EQ(Estimate().server, kProcessBytes + 5 * (kBytes / 10 * 4));
}

TEST_F(MemoryEstimateTest, SpareBuffersAreNoMoreThanThePoolKeeps) {
  const int64_t values = int64_t{64} << 20;  // 256 MiB of weights; the pool keeps 64 MiB
  job_.mutable_training()->set_slices(1);
  const std::vector<VariableSpec> variables = {{"weight", {values}, Initializer::Zeros()}};
  const auto estimate = EstimateMemory(ResolveDefaults(job_), variables, data_);
  ASSERT_TRUE(estimate.ok()) << estimate.status();
  EXPECT_EQ(estimate->server, kProcessBytes + (2 * 256 + 64) * (uint64_t{1} << 20));
}

TEST_F(MemoryEstimateTest, AWorkerHoldsWeightsAndGradientsTwiceAndTwoBatchesOfItsSlice) {
  // Slices of 50 examples of 40 bytes.
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 2 * 50 * 40);
  job_.mutable_training()->set_slices(3);  // the largest has 34
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 2 * 34 * 40);
  job_.mutable_data()->set_shuffle(true);  // the order of an epoch
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 2 * 34 * 40 + 4 * 5000);
}

TEST_F(MemoryEstimateTest, ABatchIsNoMoreThanAnEpoch) {
  job_.mutable_training()->set_batch_size(1'000'000'000);
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 2 * 2500 * 40);
  data_.set_epoch_examples(8001);  // with over-sampling or replay
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 2 * 4001 * 40);
  data_.set_old_examples(10);
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 3 * 4001 * 40);
  job_.mutable_training()->set_mode("async");  // a task, and a batch of it, can be an epoch
  EXPECT_EQ(Estimate().worker, kProcessBytes + 4 * kBytes + 3 * 8001 * 40);
  job_.mutable_cluster()->set_threads_per_worker(2);  // who divide it
  EXPECT_EQ(Estimate().worker, kProcessBytes + (4 + 2) * kBytes + 2 * 3 * 4001 * 40);
}

TEST_F(MemoryEstimateTest, AJobThatDoesNotFitIsRefusedWithTheNeedOfEachProcess) {
  const MemoryEstimate estimate{3'000'000'000, 1'000'000'000};
  EXPECT_TRUE(CheckFits(estimate, 1, 2, {8'000'000'000, 5'000'000'000, false}).ok());
  const absl::Status status = CheckFits(estimate, 1, 2, {8'000'000'000, 4'999'999'999, false});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("the job needs about 5.0 GB of memory here (1 server of 3.0 GB, 2 workers of "
                "1.0 GB), but 5.0 GB of 8.0 GB are available. "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--set cluster.memory_check=false"));
}

TEST_F(MemoryEstimateTest, ALimitOfTheControlGroupIsNamed) {
  const absl::Status status = CheckFits({100, 100}, 1, 1, {1000, 10, true});
  EXPECT_THAT(std::string(status.message()), HasSubstr("within the limit of its control group"));
}

}  // namespace
}  // namespace convoy
