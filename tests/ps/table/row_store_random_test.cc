// A store and a std::map that do the same things: they must always agree.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <random>

#include "ps/table/row_store.h"

namespace convoy {
namespace {

constexpr int kOperations = 60000;

struct Expected {
  float first_weight;
  float last_slot;
  uint32_t updates;
  bool operator==(const Expected&) const = default;
};

class Pair {
 public:
  explicit Pair(uint64_t ids) : ids_(ids) {}

  void InsertOrChange(uint64_t id, uint32_t value) {
    bool inserted = false;
    const Row row = store_.FindOrInsert(id, &inserted);
    ASSERT_TRUE(row);
    ASSERT_EQ(inserted, !map_.contains(id));
    ASSERT_TRUE(!inserted || row.header->updates == 0u);
    row.header->updates = value;
    row.weights[0] = static_cast<float>(value) + 1;
    row.slots[kLayout.slot_floats - 1] = static_cast<float>(value) + 2;
    map_[id] = {row.weights[0], row.slots[kLayout.slot_floats - 1], value};
  }
  void Erase(uint64_t id) { ASSERT_EQ(store_.Erase(id), map_.erase(id) == 1); }
  void Find(uint64_t id) {
    const auto expected = map_.find(id);
    const Row row = store_.Find(id);
    ASSERT_EQ(static_cast<bool>(row), expected != map_.end());
    ASSERT_TRUE(!row || Read(row) == expected->second);
  }
  void CompareAll() {
    ASSERT_EQ(store_.size(), map_.size());
    std::map<uint64_t, Expected> seen;
    store_.ForEach([&](Row row) { seen[row.header->id()] = Read(row); });
    ASSERT_EQ(seen, map_);
    auto expected = map_.begin();
    store_.ForEachById([&](Row row) { ASSERT_EQ(row.header->id(), (expected++)->first); });
  }

  // Few enough ids to meet again; a fourth of them from the end of the range, 0 and 2^64 - 1
  // included.
  uint64_t Id(uint64_t draw) const {
    const uint64_t id = draw / 4 % ids_;
    return draw % 4 == 0 ? std::numeric_limits<uint64_t>::max() - id : id;
  }

 private:
  static constexpr RowLayout kLayout = {.dim = 3, .slot_floats = 4};

  static Expected Read(Row row) {
    return {row.weights[0], row.slots[kLayout.slot_floats - 1], row.header->updates};
  }

  const uint64_t ids_;
  RowArena arena_;
  RowStore store_{kLayout, &arena_};
  std::map<uint64_t, Expected> map_;
};

// `erase_of_8`: how many of 8 operations erase; the store grows, shrinks or stays about as it is.
void CompareWithMap(uint64_t seed, uint64_t ids, uint64_t erase_of_8) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << ids << " ids, " << erase_of_8
                                  << " of 8 operations erase");
  std::mt19937_64 random(seed);
  Pair pair(ids);
  for (int i = 0; i < kOperations; ++i) {
    const uint64_t id = pair.Id(random()), kind = random() % 8;
    if (kind < erase_of_8) {
      pair.Erase(id);
    } else if (kind == 7) {
      pair.Find(id);
    } else {
      pair.InsertOrChange(id, static_cast<uint32_t>(i));
    }
    if (i % 4096 == 0) pair.CompareAll();
    if (testing::Test::HasFatalFailure()) return;
  }
  pair.CompareAll();
}

TEST(RowStoreRandomTest, DoesWhatAMapDoesWithFewIds) {
  for (const uint64_t seed : {1, 2, 3}) CompareWithMap(seed, 20, 4);
}

TEST(RowStoreRandomTest, DoesWhatAMapDoesWhileItGrows) {
  for (const uint64_t seed : {4, 5}) CompareWithMap(seed, 1 << 20, 1);
}

TEST(RowStoreRandomTest, DoesWhatAMapDoesWhenErasingAsMuchAsInserting) {
  for (const uint64_t seed : {6, 7}) CompareWithMap(seed, 3000, 3);
}

// Most operations erase what is not there.
TEST(RowStoreRandomTest, DoesWhatAMapDoesNearlyEmpty) { CompareWithMap(8, 100, 6); }

}  // namespace
}  // namespace convoy
