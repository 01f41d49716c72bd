#include "launcher/commands/compare/run_estimate.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

v1::Training Epochs(uint32_t epochs, uint32_t validate_every) {
  v1::Training training;
  training.set_epochs(epochs);
  training.set_validate_every_epochs(validate_every);
  return training;
}

// 1,000 examples a second after the first report, 1 s of validation, 2 s to start.
RunRecord Probe() {
  RunRecord run;
  run.train.Add({3, 500, 5, {}});
  run.train.Add({4, 1500, 15, {}});
  run.wall_seconds = 5;
  run.epoch_examples = 10000;
  return run;
}

TEST(RunEstimateTest, CountsTrainingValidationsAndTheStart) {
  const RunEstimate estimate = EstimateRun(Probe(), 7, Epochs(4, 1));
  EXPECT_DOUBLE_EQ(estimate.examples_per_second, 1000);
  EXPECT_DOUBLE_EQ(estimate.seconds, 40 + 4 * 1 + 2);
  EXPECT_DOUBLE_EQ(EstimateRun(Probe(), 7, Epochs(4, 2)).seconds, 40 + 2 * 1 + 2);
  EXPECT_DOUBLE_EQ(EstimateRun(Probe(), 7, Epochs(4, 0)).seconds, 40 + 1 + 2) << "only at the end";
}

TEST(RunEstimateTest, AProbeOfOneReportCountsFromItsBeginning) {
  RunRecord probe = Probe();
  probe.train = Curve();
  probe.train.Add({2, 1000, 10, {}});
  EXPECT_DOUBLE_EQ(EstimateRun(probe, 5, Epochs(1, 0)).examples_per_second, 500);
}

TEST(RunEstimateTest, AProbeWithoutReportsTellsNothing) {
  EXPECT_EQ(EstimateRun(RunRecord(), 1, Epochs(1, 1)).seconds, 0);
}

}  // namespace
}  // namespace convoy
