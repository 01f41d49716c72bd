#include "ps/shard_init.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "common/checkpoint/init_plan.h"
#include "common/files/safetensors_writer.h"
#include "google/protobuf/text_format.h"
#include "tests/common/files/scratch_folder.h"
#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kInitRows = 300;  // of "w", which has blocks of 65,536 values
constexpr int64_t kInitColumns = 500;

// A value that says where it is; far from what initializers give.
float Marked(uint64_t place) { return 1000.0f + static_cast<float>(place); }

// 0, 1, ...
std::vector<uint64_t> IdsUpTo(size_t count) {
  std::vector<uint64_t> ids(count);
  std::iota(ids.begin(), ids.end(), uint64_t{0});
  return ids;
}

class ShardInitTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  // "w" with `columns` columns, and a table "t" with the ids 0, 7, 14, ..., 693 (or `ids`).
  std::string WriteFile(int64_t columns, std::vector<uint64_t> ids = {}) {
    for (uint64_t id = 0; ids.size() < 100; id += 7) ids.push_back(id);
    const std::string path = folder_.File("weights.safetensors");
    auto writer = SafetensorsWriter::Create(path,
                                            {{"t/ids", {ids.size()}, "U64"},
                                             {"w", {kInitRows, static_cast<uint64_t>(columns)}},
                                             {"t/rows", {ids.size(), 2}}},
                                            {});
    std::vector<float> values(static_cast<size_t>(kInitRows * columns)), rows(2 * ids.size());
    for (size_t i = 0; i < values.size(); ++i) values[i] = Marked(i);
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<float>(ids[i / 2]) + (i % 2 ? 0.5f : 0);
    EXPECT_TRUE((*writer)->WriteU64("t/ids", 0, ids).ok());
    EXPECT_TRUE((*writer)->Write("w", 0, values).ok());
    EXPECT_TRUE((*writer)->Write("t/rows", 0, rows).ok());
    EXPECT_TRUE((*writer)->Commit().ok());
    return path;
  }

  // A cluster whose servers begin with the file as `init` says. `more`: of the job.
  absl::Status Begin(const std::string& path, const std::string& init = "",
                     const std::string& more = "") {
    v1::Job job;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        "init { from: '" + path + "' " + init + " } optimizer { adam {} } " + more, &job));
    auto plan = PlanInitOf(job, variables_, tables_);
    if (!plan.ok()) return plan.status();
    auto values = InitValues::Open(*std::move(plan));
    if (!values.ok()) return values.status();
    servers_.clear();
    for (uint32_t rank = 0; rank < GetParam(); ++rank) {
      ServerCore::Options options = SyncOptions(/*slices=*/1);
      options.rank = rank;
      options.optimizer = job.optimizer();
      options.table_rules.assign(job.table().begin(), job.table().end());
      servers_.emplace_back(options, variables_, GetParam(), tables_);
      const absl::Status status = InitShard(**values, servers_[rank].core->placement(), rank,
                                            options.seed, servers_[rank].core->shard());
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // All values of "w", from whichever server has them.
  std::vector<float> Weights() const {
    std::vector<float> all(static_cast<size_t>(variables_[0].size()));
    const Placement& placement = servers_[0].core->placement();
    for (const CellSpec& cell : placement.cells()) {
      const std::vector<float> values = servers_[cell.server].Weights(cell.id);
      std::copy(values.begin(), values.end(), all.begin() + cell.offset);
    }
    return all;
  }
  std::map<uint64_t, std::vector<float>> Rows() const {
    std::map<uint64_t, std::vector<float>> rows;
    for (const TestServer& server : servers_) {
      for (const auto& bucket : server.core->shard().table(0).buckets()) {
        std::vector<uint64_t> ids;
        std::vector<float> values;
        bucket->Export(&ids, &values);
        for (size_t i = 0; i < ids.size(); ++i) {
          rows[ids[i]] = {values[2 * i], values[2 * i + 1]};
        }
      }
    }
    return rows;
  }

  ScratchFolder folder_;
  std::vector<VariableSpec> variables_ = {
      {"w", {kInitRows, kInitColumns}, Initializer::GlorotUniform(kInitRows, kInitColumns)}};
  const std::vector<TableSpec> tables_ = {{"t", {{"factors", 2, Initializer::Constant(-1)}}}};
  std::vector<TestServer> servers_;
};

INSTANTIATE_TEST_SUITE_P(Servers, ShardInitTest, ::testing::Values(1, 2, 3));

TEST_P(ShardInitTest, EveryServerHasTheBitsOfTheFileAtVersionZero) {
  const absl::Status begun = Begin(WriteFile(kInitColumns));
  ASSERT_TRUE(begun.ok()) << begun;
  const std::vector<float> weights = Weights();
  for (size_t i = 0; i < weights.size(); ++i) ASSERT_EQ(weights[i], Marked(i)) << i;
  const auto rows = Rows();
  ASSERT_EQ(rows.size(), 100u);
  for (const auto& [id, row] : rows) {
    EXPECT_EQ(row, (std::vector<float>{static_cast<float>(id), static_cast<float>(id) + 0.5f}));
  }
  for (const TestServer& server : servers_) {
    EXPECT_EQ(server.core->Stats().max_version(), 0u);
  }
}

TEST_P(ShardInitTest, WhatAFileIsTooSmallForIsAsInANewTraining) {
  const int64_t stored = kInitColumns - 10;
  const absl::Status begun = Begin(WriteFile(stored), "widen: 'w'");
  ASSERT_TRUE(begun.ok()) << begun;
  std::vector<float> fresh(static_cast<size_t>(variables_[0].size()));
  InitializeValues(variables_[0], SyncOptions(1).seed, 0, fresh);
  const std::vector<float> weights = Weights();
  for (int64_t row = 0; row < kInitRows; ++row) {
    for (int64_t column = 0; column < kInitColumns; ++column) {
      const auto i = static_cast<size_t>(row * kInitColumns + column);
      const bool in_file = column < stored;
      ASSERT_EQ(weights[i],
                in_file ? Marked(static_cast<uint64_t>(row * stored + column)) : fresh[i])
          << row << ", " << column;
    }
  }
}

TEST_P(ShardInitTest, IdThatIsTwiceInAFileIsRefused) {
  const absl::Status begun = Begin(WriteFile(kInitColumns, {5, 6, 5}));
  EXPECT_EQ(begun.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(begun.message()), HasSubstr("table \"t\": some id is twice"));
}

// Both budgets are a row for each of the 1,024 buckets: a row of 2 floats and Adam's 4 takes 24
// bytes and a 32nd part of them, and 32 more: 0.06 MB have room for 1,057.
TEST_P(ShardInitTest, MoreRowsThanTheBudgetAllowsAreRefused) {
  for (const std::string budget : {"max_rows: 1024", "max_mb: 0.06"}) {
    SCOPED_TRACE(budget);
    const std::string rule = "table { " + budget + " }";
    // Buckets do not get equally many, nor do servers.
    const absl::Status begun = Begin(WriteFile(kInitColumns, IdsUpTo(1024)), "", rule);
    ASSERT_TRUE(begun.ok()) << begun;
    EXPECT_EQ(Rows().size(), 1024u);
    const absl::Status refused = Begin(WriteFile(kInitColumns, IdsUpTo(1025)), "", rule);
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
    EXPECT_THAT(
        std::string(refused.message()),
        AllOf(HasSubstr("table \"t\": init.from has more rows than the 1024 that it may have"),
              HasSubstr("raise table.max_rows or table.max_mb")));
  }
}

}  // namespace
}  // namespace convoy::testing
