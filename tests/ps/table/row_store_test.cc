#include "ps/table/row_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "ps/table/row_clock.h"

namespace convoy {
namespace {

constexpr uint64_t kLargest = std::numeric_limits<uint64_t>::max();

// Puts in a row whose one weight is `weight`.
Row Insert(RowStore* store, uint64_t id, float weight) {
  bool inserted = false;
  const Row row = store->FindOrInsert(id, &inserted);
  EXPECT_TRUE(inserted) << id;
  row.weights[0] = weight;
  return row;
}

std::vector<uint64_t> IdsInOrder(RowStore* store) {
  std::vector<uint64_t> ids;
  store->ForEachById([&](Row row) { ids.push_back(row.header->id()); });
  return ids;
}

// Ids whose place in an index of any capacity is the same: the bits of their hashes that say where
// are equal, and so is the tag if `same_tag`. Found by search.
std::vector<uint64_t> Colliding(size_t count, bool same_tag) {
  const auto key = [same_tag](uint64_t id) {
    // 14 bits are enough for the capacities of these tests.
    return (HashId(id) >> 40 & 0x3fff) << 8 | (same_tag ? HashId(id) & 0xff : 0);
  };
  std::vector<uint64_t> ids = {17};
  for (uint64_t id = 18; ids.size() < count; ++id) {
    if (key(id) == key(17)) ids.push_back(id);
  }
  return ids;
}

TEST(RowStoreTest, AnEmptyStoreIsSmallAndAllocatesNothing) {
  EXPECT_LT(sizeof(RowStore), 200u);
  RowArena arena;
  RowStore store({.dim = 16}, &arena);
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(store.size(), 0u);
  EXPECT_FALSE(store.Find(0));
  EXPECT_FALSE(store.Erase(0));
  store.PrefetchIndex(HashId(0));
  store.PrefetchGuessed(store.Guess(HashId(0)));
  store.ForEach([](Row) { ADD_FAILURE(); });
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(RowStoreTest, ARowIsFoundWhereItWasInserted) {
  RowArena arena;
  RowStore store({.dim = 2, .slot_floats = 3}, &arena);
  const Row row = Insert(&store, 42, 0.5f);
  EXPECT_EQ(row.slots, row.weights + 2);
  EXPECT_EQ(row.header->id(), 42u);
  EXPECT_EQ(row.header->updates, 0u);
  EXPECT_EQ(store.Find(42).weights, row.weights);
  EXPECT_EQ(store.Find(42).header, row.header);
  bool inserted = true;
  EXPECT_EQ(store.FindOrInsert(42, &inserted).header, row.header);
  EXPECT_FALSE(inserted);
  EXPECT_FALSE(store.Find(43));
  EXPECT_EQ(store.size(), 1u);
}

TEST(RowStoreTest, SmallestAndLargestIdAreIdsLikeOthers) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  Insert(&store, 0, 1);
  EXPECT_FALSE(store.Find(kLargest));
  Insert(&store, kLargest, 2);
  EXPECT_EQ(store.Find(0).weights[0], 1);
  EXPECT_EQ(store.Find(kLargest).weights[0], 2);
  EXPECT_EQ(IdsInOrder(&store), (std::vector<uint64_t>{0, kLargest}));
  EXPECT_TRUE(store.Erase(0));
  EXPECT_FALSE(store.Find(0));
  EXPECT_EQ(store.Find(kLargest).header->id(), kLargest);
}

TEST(RowStoreTest, CountersHoldTheirLargestValuesSideBySide) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  RowHeader& header = *Insert(&store, kLargest, 0).header;
  header.last_second = RowClock::kMaxSeconds;
  header.updates = header.last_step = std::numeric_limits<uint32_t>::max();
  EXPECT_EQ(header.last_second, RowClock::kMaxSeconds);
  EXPECT_EQ(store.Find(kLargest).header, &header);
}

TEST(RowStoreTest, AGuessIsRightForRowsThatAreThereAndHarmlessOtherwise) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  EXPECT_EQ(store.Guess(HashId(3)), RowStore::kNoGuess);
  for (uint64_t id = 0; id < 500; ++id) Insert(&store, id, static_cast<float>(id));
  int right = 0;
  for (uint64_t id = 0; id < 1000; ++id) {
    const uint32_t guess = store.Guess(HashId(id));
    const Row row = store.Find(id, guess);
    ASSERT_EQ(row.header, store.Find(id).header);
    // Every third number, whatever it is a guess for.
    for (uint32_t other = 0; other < 600; other += 3)
      ASSERT_EQ(store.Find(id, other).header, row.header);
    right += row && store.Find(guess).weights == row.weights;  // row numbers are ids here
  }
  // 500 less those whose tag an entry before theirs has: 1 in 256 for each entry passed, a few at
  // most.
  EXPECT_GT(right, 450);
}

// A free row keeps the number of the next free one where its id was: 1 and 0 here.
TEST(RowStoreTest, AGuessOfAnErasedRowFindsNothing) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  for (const uint64_t id : {7, 8, 9}) Insert(&store, id, 0);
  const uint32_t guess = store.Guess(HashId(8));
  EXPECT_TRUE(store.Erase(7));
  EXPECT_TRUE(store.Erase(8));
  EXPECT_FALSE(store.Find(8, guess));
  EXPECT_FALSE(store.Find(0, guess));
  EXPECT_TRUE(store.Erase(9));  // the last one: nothing is left that the guess could lead to
  EXPECT_FALSE(store.Find(8, guess));
  store.PrefetchGuessed(guess);
  bool inserted = false;
  EXPECT_TRUE(store.FindOrInsert(8, &inserted, guess));
  EXPECT_TRUE(inserted);
}

TEST(RowStoreTest, RowsStayWhereTheyAreWhenTheStoreGrows) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  std::vector<Row> rows;
  for (uint64_t id = 0; id < 3000; ++id) rows.push_back(Insert(&store, id, static_cast<float>(id)));
  for (uint64_t id = 0; id < 3000; ++id) {
    ASSERT_EQ(store.Find(id).weights, rows[id].weights);
    ASSERT_EQ(store.Find(id).weights[0], static_cast<float>(id));
  }
}

// As a bucket does that is restored in pieces of one row: were the index made anew for each of
// them, the time would grow with the square of the rows.
TEST(RowStoreTest, RoomThatIsMadeForOneRowAfterTheOtherGrowsByHalf) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  int grown = 0;
  for (uint64_t id = 0; id < 10'000; ++id) {
    const size_t before = store.bytes();
    store.Reserve(id + 1);
    if (store.bytes() != before) ++grown;
    Insert(&store, id, static_cast<float>(id));
  }
  // From 3 places to 8 / 7 * 10,000: ln(11,430 / 3) / ln(1.5) = 20.3 times, and some more at first,
  // where a half is rounded.
  EXPECT_GE(grown, 15);
  EXPECT_LE(grown, 25);
  for (uint64_t id = 0; id < 10'000; ++id) ASSERT_TRUE(store.Find(id)) << id;
}

// Every id of a run of entries that all want the same place, with equal tags and without, erased
// first: those behind it move up and are still found.
TEST(RowStoreTest, ErasingInACollidingRunLosesNoOther) {
  for (const bool same_tag : {false, true}) {
    const std::vector<uint64_t> ids = Colliding(6, same_tag);
    for (size_t first = 0; first < ids.size(); ++first) {
      RowArena arena;
      RowStore store({.dim = 1}, &arena);
      for (const uint64_t id : ids) Insert(&store, id, 0);
      std::vector<uint64_t> left = ids;
      while (!left.empty()) {
        const auto erased = left.begin() + static_cast<ptrdiff_t>(first % left.size());
        EXPECT_TRUE(store.Erase(*erased));
        EXPECT_FALSE(store.Find(*erased));
        left.erase(erased);
        for (const uint64_t id : left) EXPECT_EQ(store.Find(id).header->id(), id);
        EXPECT_EQ(store.size(), left.size());
      }
    }
  }
}

TEST(RowStoreTest, NeitherTheRoundOfIdsNorTheirReturnCostsMemory) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  for (uint64_t id = 0; id < 100; ++id) Insert(&store, id, 0);
  const size_t bytes = store.bytes();
  for (uint64_t id = 100; id < 20000; ++id) {
    EXPECT_TRUE(store.Erase(id - 100));
    Insert(&store, id, 0);
    ASSERT_EQ(store.bytes(), bytes);
  }
  EXPECT_EQ(store.size(), 100u);
}

TEST(RowStoreTest, TheLastRowTakesAllMemoryWithIt) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  for (uint64_t id = 0; id < 1000; ++id) Insert(&store, id, 0);
  for (uint64_t id = 0; id < 1000; ++id) EXPECT_TRUE(store.Erase(id));
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_FALSE(store.Find(5));
  Insert(&store, 5, 1);
  EXPECT_EQ(store.Find(5).weights[0], 1);
}

TEST(RowStoreTest, VisitsByIdDoNotDependOnTheOrderOfInsertion) {
  std::vector<uint64_t> ids;
  for (uint64_t i = 0; i < 500; ++i) ids.push_back(HashId(i));
  RowArena arena;
  RowStore forward({.dim = 1}, &arena), backward({.dim = 1}, &arena);
  for (const uint64_t id : ids) Insert(&forward, id, 0);
  std::reverse(ids.begin(), ids.end());
  for (const uint64_t id : ids) Insert(&backward, id, 0);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(IdsInOrder(&forward), ids);
  EXPECT_EQ(IdsInOrder(&backward), ids);
}

TEST(RowStoreTest, AVisitSeesEveryRowOnceAndNoErasedOne) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  for (uint64_t id = 0; id < 50; ++id) Insert(&store, id, 0);
  for (uint64_t id = 0; id < 50; id += 2) store.Erase(id);
  std::multiset<uint64_t> seen, want;
  store.ForEach([&](Row row) { seen.insert(row.header->id()); });
  for (uint64_t id = 1; id < 50; id += 2) want.insert(id);
  EXPECT_EQ(seen, want);
}

TEST(RowStoreTest, AVisitByIdMayEraseTheRowsThatItIsGiven) {
  RowArena arena;
  RowStore store({.dim = 1}, &arena);
  for (uint64_t id = 0; id < 300; ++id) Insert(&store, id, 0);
  store.ForEachById([&](Row row) {
    const uint64_t id = row.header->id();
    EXPECT_TRUE(id % 3 == 0 || store.Erase(id));
  });
  EXPECT_EQ(store.size(), 100u);
  for (const uint64_t id : IdsInOrder(&store)) EXPECT_EQ(id % 3, 0u);
  store.ForEachById([&](Row row) { store.Erase(row.header->id()); });
  EXPECT_EQ(store.size(), 0u);
}

TEST(RowStoreTest, PrefetchingChangesNothingWhetherThereIsARowOrNot) {
  RowArena arena;
  RowStore store({.dim = 40, .slot_floats = 200}, &arena);
  for (uint64_t id = 0; id < 500; ++id) Insert(&store, id, static_cast<float>(id));
  const size_t bytes = store.bytes();
  for (uint64_t id = 0; id < 1000; ++id) {
    store.PrefetchIndex(HashId(id));
    store.PrefetchGuessed(store.Guess(HashId(id)));
  }
  EXPECT_EQ(store.size(), 500u);
  EXPECT_EQ(store.bytes(), bytes);
  for (uint64_t id = 0; id < 500; ++id)
    EXPECT_EQ(store.Find(id).weights[0], static_cast<float>(id));
}

}  // namespace
}  // namespace convoy
