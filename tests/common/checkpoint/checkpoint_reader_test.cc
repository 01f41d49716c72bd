#include "common/checkpoint/checkpoint_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "common/math/table.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckpointReaderTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  CheckpointReaderTest() {
    SampleCheckpoint(SampleOptions{.servers = GetParam()}).Write(folder_.path());
    auto opened = CheckpointReader::Open(folder_.path());
    EXPECT_TRUE(opened.ok()) << opened.status();
    reader_ = *std::move(opened);
  }
  std::vector<float> Values(size_t variable, std::optional<size_t> slot, uint64_t first,
                            size_t count) {
    std::vector<float> values(count);
    const absl::Status status = reader_->Read(variable, slot, first, values);
    EXPECT_TRUE(status.ok()) << status;
    return values;
  }

  ScratchFolder folder_;
  std::unique_ptr<CheckpointReader> reader_;
};

// Servers that wrote the checkpoint.
INSTANTIATE_TEST_SUITE_P(Servers, CheckpointReaderTest, ::testing::Values(1, 2, 5));

TEST_P(CheckpointReaderTest, DescribesVariablesAndTables) {
  EXPECT_EQ(reader_->path(), folder_.path());
  ASSERT_EQ(reader_->variables().size(), 2u);
  EXPECT_EQ(reader_->variables()[0].name, "w");
  EXPECT_THAT(reader_->variables()[0].shape, ElementsAre(2, 3));
  EXPECT_THAT(reader_->variables()[0].slots, ElementsAre("m", "v"));
  EXPECT_THAT(reader_->variables()[1].slots, IsEmpty());
  ASSERT_EQ(reader_->tables().size(), 1u);
  const WeightArchive::Table& table = reader_->tables()[0];
  EXPECT_EQ(table.dim, 3u);
  EXPECT_EQ(table.rows, 5u);
  EXPECT_EQ(table.ranges[1].name, "factors");
  EXPECT_EQ(table.ranges[1].size, 2u);
  EXPECT_EQ(table.slots[2].name, "factors/a");
  EXPECT_EQ(table.slots[2].size, 1u);
  EXPECT_EQ(reader_->waiting_ids(0), 1u);
}

TEST_P(CheckpointReaderTest, VariablesAreReadAcrossBlocks) {
  EXPECT_THAT(Values(0, std::nullopt, 0, 6), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(Values(0, std::nullopt, 3, 2), ElementsAre(3, 4));
  EXPECT_THAT(Values(0, std::nullopt, 4, 1), ElementsAre(4));
  EXPECT_THAT(Values(0, std::nullopt, 6, 0), IsEmpty());
  EXPECT_THAT(Values(0, 0, 2, 3), ElementsAre(12, 13, 14));
  EXPECT_THAT(Values(0, 1, 0, 6), ElementsAre(20, 21, 22, 23, 24, 25));
  EXPECT_THAT(Values(1, std::nullopt, 0, 1), ElementsAre(7));
}

TEST_P(CheckpointReaderTest, ReadingBeyondTheEndIsOutOfRange) {
  std::vector<float> values(2);
  const absl::Status status = reader_->Read(0, std::nullopt, 5, values);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), HasSubstr("variable \"w\" has 6 values"));
  EXPECT_FALSE(reader_->Read(0, std::nullopt, 7, {}).ok());
}

TEST_P(CheckpointReaderTest, AllRowsOfATableAreRead) {
  std::map<uint64_t, std::vector<float>> rows;
  ASSERT_TRUE(reader_
                  ->ReadRows(0,
                             [&](const WeightArchive::Rows& piece) {
                               for (size_t i = 0; i < piece.ids.size(); ++i) {
                                 EXPECT_EQ(piece.counters[2 * i], piece.ids[i] % 100);
                                 EXPECT_EQ(piece.counters[2 * i + 1], 3u);
                                 const auto weights = piece.weights.subspan(3 * i, 3),
                                            slots = piece.slots.subspan(3 * i, 3);
                                 std::vector<float> row(weights.begin(), weights.end());
                                 row.insert(row.end(), slots.begin(), slots.end());
                                 rows[piece.ids[i]] = row;
                               }
                               return absl::OkStatus();
                             })
                  .ok());
  EXPECT_EQ(rows.size(), 5u);
  EXPECT_THAT(rows[2], ElementsAre(2, 2.25, 2.5, -2, -2.25, -2.5));
  EXPECT_THAT(rows[1000], ElementsAre(1000, 1000.25, 1000.5, -1000, -1000.25, -1000.5));
}

TEST_P(CheckpointReaderTest, RowsAreReadUntilTheCallerHasEnough) {
  int calls = 0;
  const absl::Status status = reader_->ReadRows(0, [&](const WeightArchive::Rows&) {
    ++calls;
    return absl::CancelledError("enough");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_P(CheckpointReaderTest, ABlockHasItsCountersAndMarks) {
  ASSERT_EQ(reader_->blocks(0).size(), 2u);
  const CheckpointReader::Block* block = reader_->FindBlock(0, 0);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->end, 4u);
  EXPECT_EQ(block->cell->version, 1200u);
  EXPECT_EQ(block->cell->updates, 2u);
  EXPECT_EQ(block->cell->examples, 200u);
  ASSERT_EQ(block->cell->marks.size(), 1u);
  EXPECT_EQ(block->cell->marks[0].task, 5u);
  EXPECT_EQ(block->cell->marks[0].next, 2u);
  EXPECT_EQ(reader_->FindBlock(0, 4)->end, 6u);
  EXPECT_THAT(reader_->FindBlock(0, 4)->cell->marks, IsEmpty());
  EXPECT_EQ(reader_->FindBlock(0, 2), nullptr);
  EXPECT_EQ(reader_->FindBlock(0, 6), nullptr);
}

TEST_P(CheckpointReaderTest, EachServerHasItsOwnCellAndTasks) {
  ASSERT_EQ(reader_->servers(), GetParam());
  for (uint32_t server = 0; server < reader_->servers(); ++server) {
    EXPECT_EQ(reader_->server_cell(server).version, 1200u);
    EXPECT_EQ(reader_->server_cell(server).examples, 100u);
    EXPECT_THAT(reader_->complete_tasks(server), ElementsAre(std::pair(1, 4)));
  }
}

TEST_P(CheckpointReaderTest, ABucketHasItsRowsAndWaitingIds) {
  BucketRows rows;
  ASSERT_TRUE(reader_->ReadBucket(0, BucketOf(1000), &rows).ok());
  EXPECT_EQ(reader_->bucket_rows(0, BucketOf(1000)), 1u);
  EXPECT_EQ(reader_->bucket_cell(0, BucketOf(1000)).version, 1200u);
  EXPECT_THAT(rows.ids, ElementsAre(1000));
  EXPECT_THAT(rows.weights, ElementsAre(1000, 1000.25, 1000.5));
  EXPECT_THAT(rows.slots, ElementsAre(-1000, -1000.25, -1000.5));
  EXPECT_THAT(rows.counters, ElementsAre(0, 3));
  const auto waiting = reader_->ReadWaiting(0, BucketOf(77));
  ASSERT_TRUE(waiting.ok()) << waiting.status();
  ASSERT_EQ(waiting->size(), 1u);
  EXPECT_EQ((*waiting)[0].id, 77u);
  EXPECT_EQ((*waiting)[0].sightings, 2u);
  EXPECT_EQ((*waiting)[0].last_step, 9u);
  EXPECT_THAT(reader_->ReadWaiting(0, BucketOf(1000)).value(), IsEmpty());
}

// 5,000 ids: about 5 a bucket.
TEST(CheckpointReaderRowsTest, EveryRowOfManyIsReadOnceByBucketAndByTable) {
  SampleOptions options{.servers = 3, .ids = {}};
  for (uint64_t id = 0; id < 5000; ++id) options.ids.push_back(id);
  ScratchFolder folder;
  SampleCheckpoint(options).Write(folder.path());
  const auto reader = CheckpointReader::Open(folder.path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<uint64_t> by_bucket, by_table;
  BucketRows rows;
  for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
    ASSERT_TRUE((*reader)->ReadBucket(0, bucket, &rows).ok());
    by_bucket.insert(by_bucket.end(), rows.ids.begin(), rows.ids.end());
  }
  ASSERT_TRUE((*reader)
                  ->ReadRows(0,
                             [&](const WeightArchive::Rows& piece) {
                               by_table.insert(by_table.end(), piece.ids.begin(), piece.ids.end());
                               return absl::OkStatus();
                             })
                  .ok());
  std::sort(by_bucket.begin(), by_bucket.end());
  std::sort(by_table.begin(), by_table.end());
  EXPECT_EQ(by_bucket, options.ids);
  EXPECT_EQ(by_table, options.ids);
}

}  // namespace
}  // namespace convoy
