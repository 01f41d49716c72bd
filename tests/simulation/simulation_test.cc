// P1 and P2 of the protocol over many seeded schedules. A failure prints the seed; with
// CONVOY_SIMULATION_SEED=n only that schedule runs, and its events are printed.
#include "tests/testing/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "tests/simulation/schedules.h"
#include "tests/testing/simulated_worker.h"

namespace convoy::testing {
namespace {

TEST(SimulationTest, SyncEqualsThePlainLoopBitForBitOnEverySchedule) {
  uint64_t lost = 0, duplicates = 0, retries = 0;
  const auto [first, last] = Seeds(kSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    const SimulationOptions options = Schedule(seed, {Mode::Kind::kSync, 0});
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    ASSERT_EQ(result->weights, PlainLoop(options.job)) << "schedule seed " << seed;
    uint64_t examples = 0;
    for (uint64_t step = 0; step < options.job.steps; ++step) {
      for (uint32_t slice = 0; slice < options.job.slices; ++slice) {
        examples += SliceExamples(options.job, step, slice).size();
      }
    }
    for (const auto& server : result->counts) {
      for (const Cell::Counts& cell : server) {
        ASSERT_EQ(cell.version, options.job.steps) << "schedule seed " << seed;
        ASSERT_EQ(cell.examples, examples) << "schedule seed " << seed;
      }
    }
    lost += result->streams_lost;
    for (const v1::ServerStats& stats : result->stats) {
      duplicates += stats.duplicates();
      retries += stats.retry_later();
    }
  }
  if (last - first < kSchedules) return;
  // The schedules do exercise what they are there for.
  EXPECT_GT(lost, 1000u);
  EXPECT_GT(duplicates, 1000u);
  EXPECT_GT(retries, 100u);
}

void ExpectEveryBatchCountsOnce(Mode mode) {
  uint64_t largest_lead = 0;
  const auto [first, last] = Seeds(kSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = Schedule(seed, mode);
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    const uint64_t size = (options.job.batch_size + options.job.slices - 1) / options.job.slices;
    const uint64_t batches = (options.job.examples + size - 1) / size;
    for (const auto& server : result->counts) {
      for (const Cell::Counts& cell : server) {
        ASSERT_EQ(cell.version, batches) << "schedule seed " << seed;
        ASSERT_EQ(cell.examples, options.job.examples) << "schedule seed " << seed;
      }
    }
    if (mode.kind == Mode::Kind::kSsp) {
      ASSERT_LE(result->largest_lead, mode.bound) << "schedule seed " << seed;
    }
    largest_lead = std::max(largest_lead, result->largest_lead);
  }
  if (mode.kind == Mode::Kind::kAsync && last - first >= kSchedules) {
    EXPECT_GT(largest_lead, 2u);  // without a bound workers do drift apart
  }
}

TEST(SimulationTest, AsyncCountsEveryBatchOnceInEveryCell) {
  ExpectEveryBatchCountsOnce({Mode::Kind::kAsync, 0});
}

TEST(SimulationTest, SspCountsEveryBatchOnceAndKeepsItsBound) {
  ExpectEveryBatchCountsOnce({Mode::Kind::kSsp, 1});
}

TEST(SimulationTest, SspWithBoundZeroKeepsWorkersInStep) {
  ExpectEveryBatchCountsOnce({Mode::Kind::kSsp, 0});
}

TEST(SimulationTest, LocalSgdEqualsThePlainLoopBitForBitOnEverySchedule) {
  const auto [first, last] = Seeds(kSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    const SimulationOptions options =
        Schedule(seed, {.kind = Mode::Kind::kLocalSgd, .local_steps = 3});
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    ASSERT_EQ(result->weights, PlainLoop(options.job)) << "schedule seed " << seed;
  }
}

TEST(SimulationTest, GeoCountsEveryBatchOnceInEveryCell) {
  ExpectEveryBatchCountsOnce({.kind = Mode::Kind::kGeo, .local_steps = 4});
}

TEST(SimulationTest, ScalingByStalenessCountsEveryBatchOnceInEveryCell) {
  ExpectEveryBatchCountsOnce({.kind = Mode::Kind::kAsync, .scale_by_staleness = true});
}

TEST(SimulationTest, BackupTakesExactlyTheFirstSlicesOfEveryStep) {
  const auto [first, last] = Seeds(kSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options =
        Schedule(seed, {.kind = Mode::Kind::kSync, .backup = 1 + static_cast<uint32_t>(seed % 2)});
    options.job.examples = 48;    // so that all slices of a step have
    options.job.batch_size = 24;  // the same number of examples
    options.job.slices =
        options.mode.backup + 1 + static_cast<uint32_t>(seed / 5 % 2) * (3 - options.mode.backup);
    if (24 % options.job.slices != 0) options.job.slices = 4;
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    const uint64_t counted = options.job.slices - options.mode.backup;
    for (const auto& server : result->counts) {
      for (const Cell::Counts& cell : server) {
        ASSERT_EQ(cell.version, options.job.steps) << "schedule seed " << seed;
        ASSERT_EQ(cell.examples, options.job.steps * counted * (24 / options.job.slices))
            << "schedule seed " << seed;
        ASSERT_EQ(cell.dropped, options.job.steps * options.mode.backup)
            << "schedule seed " << seed;
      }
    }
  }
}

TEST(SimulationTest, BackupDoesNotWaitForAStraggler) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SimulationOptions options = Schedule(seed, {Mode::Kind::kSync, 0});
    options.workers = 4;
    options.job.slices = 4;
    options.job.steps = 40;
    options.straggler = 30;
    const absl::StatusOr<Simulation::Result> waiting = Simulation(options).Run();
    options.mode.backup = 1;
    const absl::StatusOr<Simulation::Result> going_on = Simulation(options).Run();
    ASSERT_TRUE(waiting.ok() && going_on.ok()) << waiting.status() << going_on.status();
    EXPECT_LT(going_on->duration, 0.5 * waiting->duration) << "schedule seed " << seed;
  }
}

// A worker that is lost, or wrongly thought so, is replaced by another one, which goes on with the
// lowest step that a server has not applied, or with the task that the other held.
class LostWorkersTest : public ::testing::TestWithParam<Mode> {};

TEST_P(LostWorkersTest, ChangeNothing) {
  const Mode mode = GetParam();
  uint64_t lost = 0, told = 0;
  const auto [first, last] = Seeds(kSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = Schedule(seed, mode);
    options.worker_loss = 0.02;
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    if (mode.rounds()) {
      ASSERT_EQ(result->weights, PlainLoop(options.job)) << "schedule seed " << seed;
    }
    const uint64_t versions = mode.rounds() ? options.job.steps : ToyBatches(options.job);
    for (const auto& server : result->counts) {
      for (const Cell::Counts& cell : server) {
        ASSERT_EQ(cell.version, versions) << "schedule seed " << seed;
        ASSERT_EQ(cell.examples, server.back().examples) << "schedule seed " << seed;
        if (!mode.rounds()) {
          ASSERT_EQ(cell.examples, options.job.examples) << "schedule seed " << seed;
        }
      }
    }
    lost += result->workers_lost;
    told += result->told_of_successor;
  }
  if (last - first < kSchedules) return;
  EXPECT_GT(lost, 500u);
  EXPECT_GT(told, 50u);
}

std::string NameOfMode(const ::testing::TestParamInfo<Mode>& info) {
  const std::array names = {"Sync", "Async", "Ssp", "LocalSgd", "Geo"};
  return names[info.index];
}

INSTANTIATE_TEST_SUITE_P(Modes, LostWorkersTest,
                         ::testing::Values(Mode{Mode::Kind::kSync, 0}, Mode{Mode::Kind::kAsync, 0},
                                           Mode{Mode::Kind::kSsp, 1},
                                           Mode{.kind = Mode::Kind::kLocalSgd, .local_steps = 3},
                                           Mode{.kind = Mode::Kind::kGeo, .local_steps = 4}),
                         NameOfMode);

TEST(SimulationTest, BackupGoesOnWhenWorkersAreLost) {
  const auto [first, last] = Seeds(kSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = Schedule(seed, {.kind = Mode::Kind::kSync, .backup = 1});
    options.job.slices = std::max(2u, options.job.slices);
    options.worker_loss = 0.02;
    const absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    for (const auto& server : result->counts) {
      for (const Cell::Counts& cell : server) {
        ASSERT_EQ(cell.version, options.job.steps) << "schedule seed " << seed;
      }
    }
  }
}

TEST(SimulationTest, OneSeedReplaysEventForEvent) {
  for (uint64_t seed : {3u, 8u, 21u}) {
    const SimulationOptions options = Schedule(seed, {Mode::Kind::kSync, 0});
    const absl::StatusOr<Simulation::Result> one = Simulation(options).Run();
    const absl::StatusOr<Simulation::Result> two = Simulation(options).Run();
    ASSERT_TRUE(one.ok() && two.ok());
    EXPECT_EQ(one->events, two->events);
    EXPECT_EQ(one->log_hash, two->log_hash);
  }
}

}  // namespace
}  // namespace convoy::testing
