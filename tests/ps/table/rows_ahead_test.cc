#include "ps/table/rows_ahead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "common/math/table.h"
#include "ps/table/row_ids.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;

// Rows of several stores, one run of them after the other.
class RowsAheadTest : public ::testing::Test {
 protected:
  // Rows of a new store, `known` of which it has.
  void AddRun(size_t rows, size_t known) {
    auto& store = stores_.emplace_back(std::make_unique<RowStore>(RowLayout{.dim = 1}, &arena_));
    for (size_t i = 0; i < rows; ++i) {
      const uint64_t id = ids_.size();
      ids_.push_back(id);
      hashes_.push_back(HashId(id));
      bool inserted;
      if (i < known) store->FindOrInsert(id, &inserted);
    }
  }
  size_t begin(size_t run) const {
    size_t row = 0;
    for (size_t r = 0; r < run; ++r) row += sizes_[r];
    return row;
  }
  void Add(size_t run) { ahead_.Add(stores_[run].get(), begin(run), begin(run) + sizes_[run]); }
  void ExpectGuessesOf(size_t run) {
    ahead_.Begin(begin(run));
    for (size_t i = 0; i < sizes_[run]; ++i) {
      EXPECT_EQ(ahead_.Guess(i), stores_[run]->Guess(hashes_[begin(run) + i]))
          << "run " << run << " row " << i;
    }
  }

  const std::vector<size_t> sizes_ = {1, 200, 3, 1, 70, 2};
  RowArena arena_;
  std::vector<std::unique_ptr<RowStore>> stores_;
  std::vector<uint64_t> ids_, hashes_;
  RowsAhead ahead_;
};

TEST_F(RowsAheadTest, EveryRowHasTheGuessOfItsOwnStore) {
  for (const size_t size : sizes_) AddRun(size, size);
  ahead_.Start(hashes_);
  for (size_t run = 0; run < sizes_.size(); ++run) Add(run);
  for (size_t run = 0; run < sizes_.size(); ++run) ExpectGuessesOf(run);
}

TEST_F(RowsAheadTest, StoresMayBeAddedAsLateAsTheyAreNeeded) {
  for (const size_t size : sizes_) AddRun(size, size / 2);
  ahead_.Start(hashes_);
  for (size_t run = 0; run < sizes_.size(); ++run) {
    Add(run);
    ExpectGuessesOf(run);
  }
}

// As buckets are that are parked, or had the contribution before: they are unlocked by then.
TEST_F(RowsAheadTest, StoresThatAreSkippedAreNotLookedAt) {
  for (const size_t size : sizes_) AddRun(size, size);
  ahead_.Start(hashes_);
  for (const size_t run : {0, 1, 2, 4, 5}) Add(run);
  ExpectGuessesOf(0);
  stores_[1].reset();  // it has more rows than any stage is ahead
  stores_[2].reset();
  ahead_.Begin(begin(3));  // which was not added
  ExpectGuessesOf(4);
  ExpectGuessesOf(5);
}

TEST_F(RowsAheadTest, RowsThatComeInBetweenAreFound) {
  AddRun(200, 0);
  RowStore& store = *stores_[0];
  ahead_.Start(&store, ids_);
  for (size_t i = 0; i < ids_.size(); ++i) {
    const uint32_t guess = ahead_.Guess(i);
    EXPECT_FALSE(store.Find(ids_[i], guess));
    bool inserted;
    EXPECT_TRUE(store.FindOrInsert(ids_[i], &inserted, guess));  // the index grows
    EXPECT_TRUE(inserted);
  }
  ahead_.Start(&store, ids_);
  for (size_t i = 0; i < ids_.size(); ++i) {
    EXPECT_EQ(store.Find(ids_[i], ahead_.Guess(i)).header, store.Find(ids_[i]).header);
  }
}

TEST(RowIdsTest, AreCutWhereTheBucketChanges) {
  std::vector<uint64_t> one, two;  // ids of bucket 1 and of bucket 2
  for (uint64_t id = 0; one.size() < 2 || two.size() < 1; ++id) {
    if (BucketOf(id) == 1) one.push_back(id);
    if (BucketOf(id) == 2) two.push_back(id);
  }
  const std::vector<uint64_t> ids = {one[0], one[1], two[0], one[0]};
  Payload bytes;
  bytes.Append({reinterpret_cast<const char*>(ids.data()), 13});
  bytes.Append({reinterpret_cast<const char*>(ids.data()) + 13, ids.size() * 8 - 13});
  const RowIds rows(bytes);
  EXPECT_EQ(rows.ids, ids);
  EXPECT_THAT(rows.hashes,
              ElementsAre(HashId(one[0]), HashId(one[1]), HashId(two[0]), HashId(one[0])));
  ASSERT_EQ(rows.runs.size(), 3u);
  EXPECT_THAT(rows.of(rows.runs[0]), ElementsAre(one[0], one[1]));
  EXPECT_EQ(rows.runs[0].bucket, 1u);
  EXPECT_THAT(rows.of(rows.runs[1]), ElementsAre(two[0]));
  EXPECT_EQ(rows.runs[1].bucket, 2u);
  EXPECT_THAT(rows.of(rows.runs[2]), ElementsAre(one[0]));
  EXPECT_EQ(rows.runs[2].bucket, 1u);
}

TEST(RowIdsTest, BytesThatAreLeftOverDoNotCount) {
  const uint64_t ids[] = {7, 8};
  Payload bytes;
  bytes.Append({reinterpret_cast<const char*>(ids), 15});
  EXPECT_THAT(RowIds(bytes).ids, ElementsAre(7));
  EXPECT_EQ(RowIds(Payload()).runs.size(), 0u);
}

}  // namespace
}  // namespace convoy
