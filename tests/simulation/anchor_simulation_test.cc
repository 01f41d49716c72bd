// P1 and P2 for trainings that begin with other weights and are held near them (optimizer.anchor),
// over many seeded schedules.
#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/init_plan.h"
#include "common/checkpoint/init_values.h"
#include "common/files/safetensors_writer.h"
#include "common/math/random.h"
#include "common/optimizers/anchored.h"
#include "ps/shard_init.h"
#include "tests/common/files/scratch_folder.h"
#include "tests/simulation/counted_once.h"
#include "tests/simulation/lineage.h"
#include "tests/simulation/schedules.h"
#include "tests/testing/simulation.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kLoadedIds = 12;  // of the 25 that the toy job reads
constexpr uint64_t kFaultSchedules = 20;

uint64_t LoadedId(uint64_t row) { return 2 * row * 1'000'003; }

std::vector<float> Normals(const std::string& name, size_t size) {
  std::vector<float> values(size);
  RandomStream(9, name).FillNormal(0, values);
  return values;
}

uint64_t SizeOf(const VariableSpec& variable) { return static_cast<uint64_t>(variable.size()); }

// All variables of the job but the last, and half of the rows of its tables.
std::string WriteEarlierWeights(const ToyJob& job, ScratchFolder& folder) {
  std::vector<TensorDeclaration> tensors;
  for (const TableSpec& table : job.tables) {
    tensors.push_back({table.name + "/ids", {kLoadedIds}, "U64"});
  }
  const auto loaded = std::span(job.variables).first(job.variables.size() - 1);
  for (const VariableSpec& variable : loaded) {
    tensors.push_back({variable.name, {variable.shape.begin(), variable.shape.end()}});
  }
  for (const TableSpec& table : job.tables) {
    tensors.push_back({table.name + "/rows", {kLoadedIds, table.dim()}});
  }
  const std::string path = folder.File("earlier.safetensors");
  auto writer = SafetensorsWriter::Create(path, tensors, {});
  EXPECT_TRUE(writer.ok()) << writer.status();
  std::vector<uint64_t> ids;
  for (uint64_t row = 0; row < kLoadedIds; ++row) ids.push_back(LoadedId(row));
  for (const TableSpec& table : job.tables) {
    EXPECT_TRUE((*writer)->WriteU64(table.name + "/ids", 0, ids).ok());
  }
  for (const VariableSpec& variable : loaded) {
    EXPECT_TRUE((*writer)->Write(variable.name, 0, Normals(variable.name, SizeOf(variable))).ok());
  }
  for (const TableSpec& table : job.tables) {
    EXPECT_TRUE((*writer)
                    ->Write(table.name + "/rows", 0, Normals(table.name, kLoadedIds * table.dim()))
                    .ok());
  }
  EXPECT_TRUE((*writer)->Commit().ok());
  return path;
}

absl::StatusOr<std::shared_ptr<const InitValues>> LoadFor(const ToyJob& toy,
                                                          const std::string& path) {
  v1::Job job;
  *job.mutable_optimizer() = toy.optimizer;
  job.mutable_init()->set_from(path);
  job.mutable_init()->add_replace(toy.variables.back().name);
  auto plan = PlanInitOf(job, toy.variables, toy.tables);
  if (!plan.ok()) return plan.status();
  auto values = InitValues::Open(*std::move(plan));
  if (!values.ok()) return values.status();
  return std::shared_ptr<const InitValues>(*std::move(values));
}

// The job begins with the values.
void BeginWith(const std::shared_ptr<const InitValues>& values, SimulationOptions* options) {
  options->start.restore = [values, seed = options->job.seed](uint32_t rank, ServerCore& server) {
    return InitShard(*values, server.placement(), rank, seed, server.shard());
  };
}

// The same job on one server and one worker, where nothing is lost.
SimulationOptions Alone(SimulationOptions options) {
  options.servers = options.workers = 1;
  options.stream_loss = options.worker_loss = options.partition = 0;
  options.restarts = 0;
  return options;
}

void ExpectBits(std::span<const float> got, std::span<const float> want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(want[i])) << i;
  }
}

// Workers are held near what was loaded, and near nothing where nothing was.
void ExpectLoadedAnchors(const SimulationOptions& options, const Simulation::Result& result) {
  const ToyJob& job = options.job;
  const Placement placement = *Placement::Create(job.variables, options.servers, job.tables);
  ASSERT_EQ(result.anchors.size(), placement.cells().size());
  for (const auto& [id, anchors] : result.anchors) {
    const CellSpec& cell = placement.cells()[id];
    const VariableSpec& variable = job.variables[cell.variable];
    std::vector<float> want(SizeOf(variable), kNotAnchored);
    if (cell.variable + 1 < job.variables.size()) want = Normals(variable.name, want.size());
    ExpectBits(anchors, std::span(want).subspan(cell.offset, cell.size));
  }
  for (uint32_t t = 0; t < job.tables.size(); ++t) {
    const uint32_t dim = job.tables[t].dim();
    const std::vector<float> loaded = Normals(job.tables[t].name, kLoadedIds * dim);
    std::map<uint64_t, std::vector<float>> want;
    for (uint64_t row = 0; row < kLoadedIds; ++row) {
      const auto of_row = std::span(loaded).subspan(row * dim, dim);
      want[LoadedId(row)].assign(of_row.begin(), of_row.end());
    }
    ASSERT_GT(result.row_anchors[t].size(), kLoadedIds);  // others, too
    for (const auto& [id, anchors] : result.row_anchors[t]) {
      std::vector<float>& of_row = want[id];
      of_row.resize(dim, kNotAnchored);
      ExpectBits(anchors, of_row);
    }
  }
}

TEST(AnchorSimulationTest, SyncHasTheSameBitsOnEverySchedule) {
  const auto [first, last] = Seeds(kTableSchedules);
  for (uint64_t seed = first; seed < last; ++seed) {
    SimulationOptions options = Schedule(seed, {Mode::Kind::kSync, 0});
    options.job.tables = ToyTables();
    options.job.optimizer.set_anchor(2);
    v1::Override& rule = *options.job.optimizer.add_override();
    rule.set_match("rows/factors");
    rule.mutable_rowwise_adagrad();
    ScratchFolder folder;
    const auto values = LoadFor(options.job, WriteEarlierWeights(options.job, folder));
    ASSERT_TRUE(values.ok()) << values.status();
    BeginWith(*values, &options);
    const auto result = Simulation(options).Run(), alone = Simulation(Alone(options)).Run();
    ASSERT_TRUE(result.ok() && alone.ok()) << result.status() << alone.status();
    Print(*result);
    ASSERT_EQ(result->weights, alone->weights) << "schedule seed " << seed;
    ASSERT_EQ(result->tables, alone->tables) << "schedule seed " << seed;
    if (seed % 10 != 0) continue;
    // The anchors are what makes the difference.
    options.job.optimizer.clear_anchor();
    const auto loose = Simulation(Alone(options)).Run();
    ASSERT_TRUE(loose.ok()) << loose.status();
    EXPECT_NE(loose->weights[0], alone->weights[0]) << "schedule seed " << seed;
    EXPECT_EQ(loose->weights.back(), alone->weights.back()) << "schedule seed " << seed;
    EXPECT_NE(loose->tables[0], alone->tables[0]) << "schedule seed " << seed;
  }
}

struct Case {
  const char* name;
  uint64_t first_seed;
  Mode mode;
};

class AnchorsUnderFaultsTest : public ::testing::TestWithParam<Case> {};

// They stay what they were, whoever is lost, and hold the weights as if nothing had happened.
TEST_P(AnchorsUnderFaultsTest, Stay) {
  const auto& [name, first_seed, mode] = GetParam();
  const auto [first, last] = Seeds(kFaultSchedules, first_seed);
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE(absl::StrCat("schedule seed ", seed));
    SimulationOptions options = FaultSchedule(seed, mode, /*tables=*/true);
    options.job.optimizer.set_anchor(2);
    ScratchFolder folder;
    const auto values = LoadFor(options.job, WriteEarlierWeights(options.job, folder));
    ASSERT_TRUE(values.ok()) << values.status();
    BeginWith(*values, &options);
    const auto result = Lineage(options).Run();
    ASSERT_TRUE(result.ok()) << result.status();
    Print(*result);
    ExpectCountedOnce(options, *result);
    if (mode.local()) ExpectLoadedAnchors(options, *result);
    if (HasFatalFailure()) return;
    if (!mode.rounds()) continue;
    const auto alone = Simulation(Alone(options)).Run();
    ASSERT_TRUE(alone.ok()) << alone.status();
    ASSERT_EQ(result->weights, alone->weights);
    ASSERT_EQ(result->tables, alone->tables);
    options.job.optimizer.set_anchor(0.5);  // makes a difference
    const auto looser = Simulation(Alone(options)).Run();
    ASSERT_TRUE(looser.ok()) << looser.status();
    ASSERT_NE(looser->weights[0], alone->weights[0]);
    ASSERT_NE(looser->tables[0], alone->tables[0]);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Modes, AnchorsUnderFaultsTest,
    ::testing::Values(Case{"Sync", 1'200'001, {Mode::Kind::kSync}},
                      Case{
                          "LocalSgd", 1'300'001, {.kind = Mode::Kind::kLocalSgd, .local_steps = 3}},
                      Case{"Geo", 1'400'001, {.kind = Mode::Kind::kGeo, .local_steps = 4}}),
    [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace convoy::testing
