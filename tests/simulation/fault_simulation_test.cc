// P1 to P6 over many seeded schedules in which everything happens: workers are lost, or wrongly
// thought so; workers are cut off from servers; streams break; servers and the coordinator are lost
// and the power fails, and all go back to the newest complete checkpoint, on a disk that loses what
// was not synced, with another number of workers, while processes of the generation before are
// still about. A failure prints the seed; with CONVOY_SIMULATION_SEED=n only that schedule runs,
// and its events are printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/simulation/counted_once.h"
#include "tests/simulation/lineage.h"
#include "tests/simulation/schedules.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kFaultSchedules = 65;
constexpr uint64_t kFaultTableSchedules = 20;

struct FaultTotals {
  uint64_t generations = 0, went_back = 0, resized = 0, workers_lost = 0, told = 0, partitions = 0,
           refused_old = 0, refused_new = 0, taken = 0, crashes = 0, most_events = 0;

  void Add(const Simulation::Result& result, const Lineage& lineage) {
    generations += result.generations;
    went_back += result.went_back;
    resized += result.resized;
    workers_lost += result.workers_lost;
    told += result.told_of_successor;
    partitions += result.partitions;
    refused_old += result.refused_old;
    refused_new += result.refused_new;
    taken += lineage.taken();
    crashes += lineage.crashes();
    most_events = std::max(most_events, result.events);
  }
  std::string ToText() const {
    return absl::StrCat(generations, " generations, ", went_back, " from a checkpoint, ", resized,
                        " with other workers, ", workers_lost, " workers lost, ", told,
                        " told so, ", partitions, " partitions, ", refused_old,
                        " requests of older generations, ", refused_new, " of newer ones, ", taken,
                        " checkpoints, ", crashes, " power failures, at most ", most_events,
                        " events");
  }
};

struct Case {
  const char* name;
  uint64_t
      first_seed;  // others than in the other cases: with the same the events are often the same
  Mode mode;
  bool tables = false;
};

class FaultSimulationTest : public ::testing::TestWithParam<Case> {};

TEST_P(FaultSimulationTest, ChangeNothing) {
  const auto& [name, first_seed, mode, tables] = GetParam();
  const uint64_t schedules = tables ? kFaultTableSchedules : kFaultSchedules;
  FaultTotals totals;
  const auto [first, last] = Seeds(schedules, first_seed);
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE(absl::StrCat("schedule seed ", seed));
    const SimulationOptions options = FaultSchedule(seed, mode, tables);
    Lineage lineage(options);
    const absl::StatusOr<Simulation::Result> result = lineage.Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    ExpectCountedOnce(options, *result);
    if (HasFatalFailure()) return;
    if (mode.rounds() && mode.backup == 0) {
      ASSERT_EQ(result->weights, PlainLoop(options.job));
      ASSERT_EQ(result->tables, PlainTables(options.job));
    }
    // P9: marks of tasks that are complete go.
    ASSERT_EQ(result->open_tasks, 0u);
    // Those who take another one's place begin to count their batches anew.
    if (mode.kind == Mode::Kind::kSsp && result->workers_lost == 0) {
      ASSERT_LE(result->largest_lead, mode.bound);
    }
    totals.Add(*result, lineage);
  }
  std::printf("%s\n", totals.ToText().c_str());
  const uint64_t ran = last - first;
  if (ran < schedules) return;
  // The schedules do exercise what they are there for.
  EXPECT_GT(totals.generations, 2 * ran) << totals.ToText();
  for (const uint64_t seen :
       {totals.went_back, totals.resized, totals.workers_lost, totals.told, totals.partitions,
        totals.refused_old, totals.refused_new, totals.taken, totals.crashes}) {
    EXPECT_GT(seen, ran / 3) << totals.ToText();
  }
}

constexpr Mode kSync{Mode::Kind::kSync};
constexpr Mode kBackup{.kind = Mode::Kind::kSync, .backup = 1};
constexpr Mode kAsync{Mode::Kind::kAsync};
constexpr Mode kSsp{.kind = Mode::Kind::kSsp, .bound = 1};
constexpr Mode kLocalSgd{.kind = Mode::Kind::kLocalSgd, .local_steps = 3};
constexpr Mode kGeo{.kind = Mode::Kind::kGeo, .local_steps = 4};

INSTANTIATE_TEST_SUITE_P(Modes, FaultSimulationTest,
                         ::testing::Values(Case{"Sync", 1, kSync}, Case{"Backup", 100'001, kBackup},
                                           Case{"Async", 200'001, kAsync},
                                           Case{"Ssp", 300'001, kSsp},
                                           Case{"LocalSgd", 400'001, kLocalSgd},
                                           Case{"Geo", 500'001, kGeo},
                                           Case{"SyncWithTables", 600'001, kSync, true},
                                           Case{"BackupWithTables", 700'001, kBackup, true},
                                           Case{"AsyncWithTables", 800'001, kAsync, true},
                                           Case{"SspWithTables", 900'001, kSsp, true},
                                           Case{"LocalSgdWithTables", 1'000'001, kLocalSgd, true},
                                           Case{"GeoWithTables", 1'100'001, kGeo, true}),
                         [](const auto& of) { return of.param.name; });

// Those that have found something and do not run by default: docs/simulation.md.
TEST(FaultSimulationReplayTest, SeedsThatHaveFoundSomethingPass) {
  const auto result = Lineage(FaultSchedule(501'379, kGeo, /*tables=*/false)).Run();
  EXPECT_TRUE(result.ok()) << result.status();
}

TEST(FaultSimulationReplayTest, OneSeedReplaysEventForEvent) {
  for (const uint64_t seed : {5u, 11u, 23u}) {
    const SimulationOptions options = FaultSchedule(seed, kSync, /*tables=*/false);
    const auto one = Lineage(options).Run(), two = Lineage(options).Run();
    ASSERT_TRUE(one.ok() && two.ok()) << one.status() << two.status();
    EXPECT_GT(one->generations, 1u);
    EXPECT_EQ(one->events, two->events);
    EXPECT_EQ(one->log_hash, two->log_hash);
  }
}

}  // namespace
}  // namespace convoy::testing
