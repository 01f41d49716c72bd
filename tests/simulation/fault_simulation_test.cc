// P1 to P6 over many seeded schedules in which everything happens: workers are lost, or wrongly
// thought so; workers are cut off from servers; streams break; servers and the coordinator are lost
// and the power fails, and all go back to the newest complete checkpoint, on a disk that loses what
// was not synced, with another number of workers, while processes of the generation before are
// still about. A failure prints the seed; with CONVOY_SIMULATION_SEED=n only that schedule runs,
// and its events are printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

constexpr uint64_t kFaultSchedules = 65;
constexpr uint64_t kFaultTableSchedules = 20;
constexpr uint64_t kMostPowerFailures = 2;  // that the disk's losses bring about

// The checkpoints of all generations of one schedule.
class Lineage {
 public:
  explicit Lineage(const SimulationOptions& options)
      : options_(options),
        random_(options.seed, "faults", 0),
        every_(options.mode.rounds() ? 1 + random_.Below(0, 4) : 2 + random_.Below(0, 6)),
        disk_(root_.path()) {
    options_.newest = [this](uint64_t generation, bool power_failed) {
      return Newest(generation, power_failed);
    };
    options_.observer = [this](ClusterView cluster) { Observe(std::move(cluster)); };
    ArmDisk(1);
  }

  absl::StatusOr<Simulation::Result> Run() { return Simulation(options_).Run(); }
  uint64_t taken() const {
    uint64_t sum = 0;
    for (const auto& checkpoints : generations_) sum += checkpoints->taken();
    return sum;
  }
  uint64_t crashes() const { return crashes_; }

 private:
  void ArmDisk(uint64_t generation) {
    if (crashes_ < kMostPowerFailures) disk_.LoseAfter(random_.Below(generation, 150));
  }

  absl::StatusOr<RestorePoint> Newest(uint64_t generation, bool power_failed) {
    SimulatedCheckpoints& before = *generations_.back();
    before.Stop();
    saved_ = std::max(saved_, before.saved());
    if (power_failed) {
      ++crashes_;
      disk_.Crash(RandomStream(options_.seed, "crash", generation));
      ArmDisk(generation);
    }
    if (absl::Status status = RemoveTemporaries(Folder()).status(); !status.ok()) return status;
    absl::StatusOr<RestorePoint> point = NewestCheckpoint(Folder());
    if (!point.ok()) return point;
    if (point->first_step < saved_) {
      return absl::InternalError(absl::StrCat("the checkpoint of step ", saved_, " is lost, ",
                                              point->first_step, " is left"));
    }
    options_.start = *point;
    return point;
  }

  void Observe(ClusterView cluster) {
    const auto deltas = static_cast<uint32_t>(random_.Below(1000 + cluster.generation, 4));
    generations_.push_back(std::make_unique<SimulatedCheckpoints>(
        options_, Folder(), every_, options_.job.tables.empty() ? 0 : deltas, &disk_));
    generations_.back()->Start(std::move(cluster));
  }

  std::string Folder() const { return root_ / "checkpoints"; }

  SimulationOptions options_;
  const RandomStream random_;
  const uint64_t every_;  // steps
  const TemporaryFolder root_;
  LossyDisk disk_;
  std::vector<std::unique_ptr<SimulatedCheckpoints>> generations_;
  uint64_t saved_ = 0;  // step of the newest that was reported as saved
  uint64_t crashes_ = 0;
};

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

SimulationOptions FaultSchedule(uint64_t seed, const Mode& mode, bool tables) {
  SimulationOptions options = Schedule(seed, mode);
  if (tables) options.job.tables = ToyTables();
  options.job.steps = 12;
  if (!mode.rounds()) options.job.examples *= 4;
  if (mode.backup > 0) {
    options.job.examples = 48;    // so that all slices of a step have
    options.job.batch_size = 24;  // the same number of examples
    options.job.slices = 2 + static_cast<uint32_t>(seed / 5 % 3);
    options.job.sparse = seed % 2 == 0;
  }
  options.worker_loss = seed % 3 == 0 ? 0 : 0.01;
  options.partition = seed % 4 == 0 ? 0 : 0.01;
  options.overlaps = seed % 2 == 0;
  options.restarts = static_cast<uint32_t>(seed % 6);
  options.restart_within = 80 * (options.servers + options.workers);
  return options;
}

// How often the cell has a gradient. (With backups it is left open which slices count, but there
// are schedules in which all have gradients.)
uint64_t UpdatesOf(const SimulationOptions& options, uint32_t cell) {
  const ToyJob& job = options.job;
  const bool rounds = options.mode.rounds();
  uint64_t updates = 0;
  for (uint64_t step = 0; step < (rounds ? job.steps : ToyBatches(job)); ++step) {
    bool any = false;
    for (uint32_t slice = 0; slice < (rounds ? job.slices : 1); ++slice) {
      any = any || !NoGradient(job, step, slice, cell);
    }
    updates += any ? 1 : 0;
  }
  return updates;
}

// P2: every step, or batch, counts once in every cell, and so does its gradient.
void ExpectCountedOnce(const SimulationOptions& options, const Simulation::Result& result) {
  const ToyJob& job = options.job;
  const bool rounds = options.mode.rounds();
  uint64_t examples = job.examples;
  if (rounds) {
    examples = 0;
    for (uint64_t step = 0; step < job.steps; ++step) {
      for (uint32_t slice = options.mode.backup; slice < job.slices; ++slice) {
        examples += SliceExamples(job, step, slice).size();
      }
    }
  }
  for (const auto& server : result.counts) {
    for (const Cell::Counts& cell : server) {
      ASSERT_EQ(cell.version, rounds ? job.steps : ToyBatches(job));
      ASSERT_EQ(cell.examples, examples);
    }
  }
  const Placement placement = *Placement::Create(job.variables, options.servers, job.tables);
  for (uint32_t server = 0; server < options.servers; ++server) {
    if (options.mode.backup > 0 && job.sparse) break;
    const auto cells = placement.cells_of_server(server);
    for (size_t i = 0; i < cells.size(); ++i) {
      ASSERT_EQ(result.counts[server][i].updates, UpdatesOf(options, cells[i]));
    }
  }
  for (const v1::ServerStats& stats : result.stats) {
    ASSERT_EQ(stats.min_version(), stats.max_version());
  }
}

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
