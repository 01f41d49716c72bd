#include "worker/row_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "common/math/random.h"
#include "common/math/table.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint64_t> RandomIds(size_t count, uint64_t different, uint64_t seed) {
  const RandomStream random(seed, "ids");
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < count; ++i) ids.push_back(HashId(random.Below(i, different)));
  return ids;
}

// The order that the header promises, by a stable sort.
std::vector<uint64_t> Expected(const std::vector<uint64_t>& ids) {
  std::vector<uint64_t> unique;
  std::set<uint64_t> seen;
  for (const uint64_t id : ids) {
    if (seen.insert(id).second) unique.push_back(id);
  }
  std::ranges::stable_sort(unique, {}, BucketOf);
  return unique;
}

void ExpectIndexOf(const RowIndex& index, const std::vector<uint64_t>& ids) {
  const std::vector<uint64_t> want = Expected(ids);
  ASSERT_TRUE(std::ranges::equal(index.unique(), want));
  ASSERT_EQ(index.places().size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(index.unique()[index.places()[i]], ids[i]);
  ASSERT_EQ(index.bucket_offsets().size(), kTableBuckets + 1);
  EXPECT_EQ(index.bucket_offsets().front(), 0u);
  EXPECT_EQ(index.bucket_offsets().back(), want.size());
  for (uint32_t b = 0; b < kTableBuckets; ++b) {
    for (uint32_t i = index.bucket_offsets()[b]; i < index.bucket_offsets()[b + 1]; ++i) {
      ASSERT_EQ(BucketOf(index.unique()[i]), b);
    }
  }
}

TEST(RowIndexTest, EachIdOnceAndAPlaceForEveryOccurrence) {
  RowIndex index;
  const std::vector<uint64_t> ids = {7, 7, 0, 7, 0};
  index.Build(ids);
  EXPECT_EQ(index.unique().size(), 2u);
  ExpectIndexOf(index, ids);
}

TEST(RowIndexTest, IdsOfOneBucketKeepTheOrderOfTheirFirstPlaces) {
  std::vector<uint64_t> same;  // of the bucket of id 1
  for (uint64_t id = 1; same.size() < 3; ++id) {
    if (BucketOf(id) == BucketOf(1)) same.push_back(id);
  }
  RowIndex index;
  index.Build(std::vector<uint64_t>{same[2], same[0], same[2], same[1]});
  EXPECT_THAT(index.unique(), ElementsAre(same[2], same[0], same[1]));
  EXPECT_THAT(index.places(), ElementsAre(0, 1, 0, 2));
}

TEST(RowIndexTest, NoIds) {
  RowIndex index;
  EXPECT_THAT(index.unique(), IsEmpty());
  index.Build({});
  ExpectIndexOf(index, {});
}

TEST(RowIndexTest, TheSmallestAndTheLargestIdsAreOrdinary) {
  constexpr uint64_t kLargest = std::numeric_limits<uint64_t>::max();
  const std::vector<uint64_t> ids = {0, kLargest, 1ull << 63, kLargest, 0, (1ull << 63) - 1};
  RowIndex index;
  index.Build(ids);
  ExpectIndexOf(index, ids);
}

TEST(RowIndexTest, BatchesOfAllSizesOneAfterTheOther) {
  RowIndex index;
  uint64_t seed = 0;
  for (const size_t count : {20000, 1, 15, 16, 17, 0, 300, 5000}) {
    for (const uint64_t different : {1, 50, 1000000}) {
      const std::vector<uint64_t> ids = RandomIds(count, different, ++seed);
      index.Build(ids);
      ExpectIndexOf(index, ids);
    }
  }
}

// 64 ids whose lowest hash bits agree meet in one slot of the small table of 128 ids.
TEST(RowIndexTest, IdsThatMeetInOneSlotAreToldApart) {
  std::vector<uint64_t> ids;
  for (uint64_t id = 0; ids.size() < 64; ++id) {
    if (HashId(id) % 256 == 255) ids.push_back(id);
  }
  ids.insert(ids.end(), ids.begin(), ids.end());
  RowIndex index;
  index.Build(ids);
  ExpectIndexOf(index, ids);
}

}  // namespace
}  // namespace convoy
