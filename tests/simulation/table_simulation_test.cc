// P1 and P2 with embedding tables in the model, over many seeded schedules.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/simulation/schedules.h"
#include "tests/testing/simulation.h"

namespace convoy::testing {
namespace {

SimulationOptions TableSchedule(uint64_t seed, Mode mode) {
  SimulationOptions options = Schedule(seed, mode);
  options.job.tables = ToyTables();
  return options;
}

void ExpectThePlainLoopsBits(Mode mode, double worker_loss = 0) {
  const auto [first, last] = Seeds(kTableSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = TableSchedule(seed, mode);
    options.worker_loss = worker_loss;
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    ASSERT_EQ(result->weights, PlainLoop(options.job)) << "schedule seed " << seed;
    ASSERT_EQ(result->tables, PlainTables(options.job)) << "schedule seed " << seed;
    for (const v1::ServerStats& stats : result->stats) {
      ASSERT_EQ(stats.min_version(), options.job.steps) << "schedule seed " << seed;
      ASSERT_EQ(stats.max_version(), options.job.steps) << "schedule seed " << seed;
    }
  }
}

TEST(TableSimulationTest, SyncEqualsThePlainLoopBitForBitOnEverySchedule) {
  ExpectThePlainLoopsBits({Mode::Kind::kSync, 0});
}

TEST(TableSimulationTest, LocalSgdEqualsThePlainLoopBitForBitOnEverySchedule) {
  ExpectThePlainLoopsBits({.kind = Mode::Kind::kLocalSgd, .local_steps = 3});
}

void ExpectEveryBatchCountsOnce(Mode mode, double worker_loss = 0) {
  const auto [first, last] = Seeds(kTableSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = TableSchedule(seed, mode);
    options.worker_loss = worker_loss;
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    const uint64_t size = (options.job.batch_size + options.job.slices - 1) / options.job.slices;
    const uint64_t batches = (options.job.examples + size - 1) / size;
    for (const v1::ServerStats& stats : result->stats) {
      ASSERT_EQ(stats.min_version(), batches) << "schedule seed " << seed;
      ASSERT_EQ(stats.max_version(), batches) << "schedule seed " << seed;
      ASSERT_EQ(stats.examples(), options.job.examples) << "schedule seed " << seed;
    }
  }
}

TEST(TableSimulationTest, AsyncCountsEveryBatchOnceInEveryBucket) {
  ExpectEveryBatchCountsOnce({Mode::Kind::kAsync, 0});
}

TEST(TableSimulationTest, SspCountsEveryBatchOnceInEveryBucket) {
  ExpectEveryBatchCountsOnce({Mode::Kind::kSsp, 1});
}

TEST(TableSimulationTest, GeoCountsEveryBatchOnceInEveryBucket) {
  ExpectEveryBatchCountsOnce({.kind = Mode::Kind::kGeo, .local_steps = 4});
}

// As LostWorkersTest, with rows.
TEST(TableSimulationTest, LostWorkersChangeNothingInSync) {
  ExpectThePlainLoopsBits({Mode::Kind::kSync, 0}, /*worker_loss=*/0.01);
}

TEST(TableSimulationTest, LostWorkersChangeNothingInAsync) {
  ExpectEveryBatchCountsOnce({Mode::Kind::kAsync, 0}, /*worker_loss=*/0.01);
}

TEST(TableSimulationTest, BackupGoesOnWithTablesToo) {
  const auto [first, last] = Seeds(kTableSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    const SimulationOptions options = TableSchedule(seed, {.kind = Mode::Kind::kSync, .backup = 1});
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    for (const v1::ServerStats& stats : result->stats) {
      ASSERT_EQ(stats.min_version(), options.job.steps) << "schedule seed " << seed;
      ASSERT_EQ(stats.max_version(), options.job.steps) << "schedule seed " << seed;
    }
  }
}

}  // namespace
}  // namespace convoy::testing
