// P1 for trainings that begin with other weights and are held near them (optimizer.anchor), over
// many seeded schedules.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/checkpoint/init_plan.h"
#include "common/checkpoint/init_values.h"
#include "common/files/safetensors_writer.h"
#include "common/math/random.h"
#include "ps/shard_init.h"
#include "tests/common/files/scratch_folder.h"
#include "tests/simulation/schedules.h"
#include "tests/testing/simulation.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kLoadedIds = 12;  // of the 25 that the toy job reads

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
  for (uint64_t id = 0; id < kLoadedIds; ++id) ids.push_back(2 * id * 1'000'003);
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

// The same job on one server and one worker, where nothing is lost.
SimulationOptions Alone(SimulationOptions options) {
  options.servers = options.workers = 1;
  options.stream_loss = 0;
  return options;
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
    const auto begin_with = [&](SimulationOptions with) {
      with.start.restore = [init = *values, seed = with.job.seed](uint32_t rank,
                                                                  ServerCore& server) {
        return InitShard(*init, server.placement(), rank, seed, server.shard());
      };
      return Simulation(with).Run();
    };
    const auto result = begin_with(options), alone = begin_with(Alone(options));
    ASSERT_TRUE(result.ok() && alone.ok()) << result.status() << alone.status();
    Print(*result);
    ASSERT_EQ(result->weights, alone->weights) << "schedule seed " << seed;
    ASSERT_EQ(result->tables, alone->tables) << "schedule seed " << seed;
    if (seed % 10 != 0) continue;
    // The anchors are what makes the difference.
    options.job.optimizer.clear_anchor();
    const auto loose = begin_with(Alone(options));
    ASSERT_TRUE(loose.ok()) << loose.status();
    EXPECT_NE(loose->weights[0], alone->weights[0]) << "schedule seed " << seed;
    EXPECT_EQ(loose->weights.back(), alone->weights.back()) << "schedule seed " << seed;
    EXPECT_NE(loose->tables[0], alone->tables[0]) << "schedule seed " << seed;
  }
}

}  // namespace
}  // namespace convoy::testing
