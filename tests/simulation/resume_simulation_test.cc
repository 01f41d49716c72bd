// P4 and P5 over many seeded schedules: everything is killed at any moment, the disk loses what was
// not synced, and the job goes on from the newest checkpoint on another number of servers and
// workers. One that was reported as saved is never lost. A failure prints the seed; with
// CONVOY_SIMULATION_SEED=n only that schedule runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/math/random.h"
#include "tests/simulation/lossy_disk.h"
#include "tests/simulation/schedules.h"
#include "tests/simulation/simulated_checkpoints.h"
#include "tests/testing/run_program.h"
#include "tests/testing/simulated_worker.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kResumeSchedules = 60;

struct Totals {
  uint64_t killed = 0, resumed = 0, taken = 0, refused = 0, deltas = 0, losses = 0;
};

// Kills the cluster some times, and lets it come to its end then.
absl::StatusOr<Simulation::Result> KillAndResume(SimulationOptions first, Totals* totals) {
  const TemporaryFolder root;
  LossyDisk disk(root.path());
  const std::string folder = root / "checkpoints";
  const RandomStream random(first.seed, "kills", 0);
  const uint64_t every = first.mode.rounds() ? 1 + random.Below(0, 4) : 2 + random.Below(0, 6);
  const uint64_t most_events = first.mode.rounds() ? 250 * first.servers : 500;
  uint64_t saved = 0;  // step of the newest
  for (uint64_t life = 1;; ++life) {
    SimulationOptions options = first;
    options.seed = first.seed * 100 + life;
    options.servers = static_cast<uint32_t>(1 + random.Below(3 * life, 3));
    options.workers = static_cast<uint32_t>(1 + random.Below(3 * life + 1, 4));
    options.kill_after = life > 3 ? 0 : 1 + random.Below(3 * life + 2, most_events);
    absl::StatusOr<RestorePoint> newest = NewestCheckpoint(folder);
    if (!newest.ok()) return newest.status();
    options.start = *std::move(newest);
    EXPECT_GE(options.start.first_step, saved)
        << "schedule seed " << first.seed << ": a checkpoint was lost";
    if (options.start.restore) ++totals->resumed;
    const auto deltas = static_cast<uint32_t>(random.Below(0, 4));
    SimulatedCheckpoints checkpoints(options, folder, every,
                                     options.job.tables.empty() ? 0 : deltas, &disk);
    if (options.kill_after > 0) disk.LoseAfter(random.Below(1000 + life, 60));
    options.observer = [&](ClusterView cluster) {
      cluster.generation = life;
      checkpoints.Start(std::move(cluster));
    };
    absl::StatusOr<Simulation::Result> result = Simulation(options).Run();
    totals->taken += checkpoints.taken();
    totals->refused += checkpoints.refused();
    totals->deltas += checkpoints.deltas();
    totals->losses += result.ok() && !result->killed ? disk.losses() : 0;
    if (!result.ok() || !result->killed) return result;
    ++totals->killed;
    saved = std::max(saved, checkpoints.saved());
    disk.Crash(RandomStream(first.seed, "crash", life));
    if (absl::Status status = RemoveTemporaries(folder).status(); !status.ok()) return status;
  }
}

void ExpectExercised(const Totals& totals, uint64_t schedules, bool tables) {
  if (schedules < kResumeSchedules) return;
  const std::string seen =
      absl::StrCat(totals.killed, " killed, ", totals.resumed, " resumed, ", totals.taken,
                   " taken, ", totals.refused, " refused, ", totals.deltas, " deltas, ",
                   totals.losses, " losses of the disk");
  EXPECT_GT(totals.killed, schedules) << seen;
  EXPECT_GT(totals.resumed, schedules / 2) << seen;
  EXPECT_GT(totals.taken, schedules) << seen;
  EXPECT_GT(totals.losses, schedules / 5) << seen;
  if (tables) {
    EXPECT_GT(totals.deltas, schedules / 2) << seen;
  }
  std::printf("%s\n", seen.c_str());
}

void ExpectThePlainLoop(Mode mode, bool tables) {
  Totals totals;
  const auto [first, last] = Seeds(kResumeSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = Schedule(seed, mode);
    options.job.steps = 12;
    if (tables) options.job.tables = ToyTables();
    const absl::StatusOr<Simulation::Result> result = KillAndResume(options, &totals);
    ASSERT_TRUE(result.ok()) << "schedule seed " << seed << ": " << result.status();
    ASSERT_EQ(result->weights, PlainLoop(options.job)) << "schedule seed " << seed;
    if (!tables) continue;
    ASSERT_EQ(result->tables, PlainTables(options.job)) << "schedule seed " << seed;
  }
  ExpectExercised(totals, last - first, tables);
}

TEST(ResumeSimulationTest, SyncEndsWithTheBitsOfThePlainLoop) {
  ExpectThePlainLoop({Mode::Kind::kSync, 0}, /*tables=*/false);
}

TEST(ResumeSimulationTest, SyncWithTablesEndsWithTheBitsOfThePlainLoop) {
  ExpectThePlainLoop({Mode::Kind::kSync, 0}, /*tables=*/true);
}

TEST(ResumeSimulationTest, LocalSgdEndsWithTheBitsOfThePlainLoop) {
  ExpectThePlainLoop({.kind = Mode::Kind::kLocalSgd, .local_steps = 3}, /*tables=*/false);
}

void ExpectEveryBatchOnce(Mode mode, bool tables) {
  Totals totals;
  const auto [first, last] = Seeds(kResumeSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = Schedule(seed, mode);
    options.job.examples *= 5;
    if (tables) options.job.tables = ToyTables();
    const absl::StatusOr<Simulation::Result> result = KillAndResume(options, &totals);
    ASSERT_TRUE(result.ok()) << "schedule seed " << seed << ": " << result.status();
    for (const auto& server : result->counts) {
      // The last one is the server's own, which is a matter of statistics with other servers.
      for (size_t cell = 0; cell + 1 < server.size(); ++cell) {
        ASSERT_EQ(server[cell].version, ToyBatches(options.job)) << "schedule seed " << seed;
        ASSERT_EQ(server[cell].examples, options.job.examples) << "schedule seed " << seed;
      }
    }
  }
  ExpectExercised(totals, last - first, tables);
}

TEST(ResumeSimulationTest, AsyncCountsEveryBatchOnceInEveryCell) {
  ExpectEveryBatchOnce({Mode::Kind::kAsync, 0}, /*tables=*/false);
}

TEST(ResumeSimulationTest, AsyncWithTablesCountsEveryBatchOnceInEveryCell) {
  ExpectEveryBatchOnce({Mode::Kind::kAsync, 0}, /*tables=*/true);
}

TEST(ResumeSimulationTest, SspCountsEveryBatchOnceInEveryCell) {
  ExpectEveryBatchOnce({Mode::Kind::kSsp, 1}, /*tables=*/false);
}

}  // namespace
}  // namespace convoy::testing
