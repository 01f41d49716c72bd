#include "worker/row_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <span>
#include <tuple>
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

// The order that the header promises.
std::vector<uint64_t> Expected(const std::vector<uint64_t>& ids, uint32_t servers) {
  const std::set<uint64_t> different(ids.begin(), ids.end());
  std::vector<uint64_t> unique(different.begin(), different.end());
  std::ranges::sort(unique, {}, [servers](uint64_t id) {
    return std::make_tuple(BucketOf(id) % servers, BucketOf(id), id);
  });
  return unique;
}

void ExpectIndexOf(const RowIndex& index, const std::vector<uint64_t>& ids, uint32_t servers = 1) {
  const std::vector<uint64_t> want = Expected(ids, servers);
  ASSERT_TRUE(std::ranges::equal(index.unique(), want));
  ASSERT_EQ(index.places().size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(index.unique()[index.places()[i]], ids[i]);
  uint32_t next = 0;
  for (uint32_t server = 0; server < servers; ++server) {
    const std::span<const uint32_t> offsets = index.bucket_offsets(server);
    ASSERT_EQ(offsets.front(), next);
    for (uint32_t k = 0; k + 1 < offsets.size(); ++k) {
      for (uint32_t i = offsets[k]; i < offsets[k + 1]; ++i)
        ASSERT_EQ(BucketOf(index.unique()[i]), server + k * servers);
    }
    next = offsets.back();
  }
  EXPECT_EQ(next, want.size());
}

TEST(RowIndexTest, EachIdOnceAndAPlaceForEveryOccurrence) {
  RowIndex index;
  const std::vector<uint64_t> ids = {7, 7, 0, 7, 0};
  index.Build(ids);
  EXPECT_EQ(index.unique().size(), 2u);
  ExpectIndexOf(index, ids);
}

TEST(RowIndexTest, IdsOfOneBucketAscend) {
  std::vector<uint64_t> same;  // of the bucket of id 1
  for (uint64_t id = 1; same.size() < 3; ++id) {
    if (BucketOf(id) == BucketOf(1)) same.push_back(id);
  }
  RowIndex index;
  index.Build(std::vector<uint64_t>{same[2], same[0], same[2], same[1]});
  EXPECT_THAT(index.unique(), ElementsAre(same[0], same[1], same[2]));
  EXPECT_THAT(index.places(), ElementsAre(2, 0, 2, 1));
}

TEST(RowIndexTest, TheIdsOfEachServerStandTogether) {
  for (const uint32_t servers : {2, 3, 7, 64}) {
    RowIndex index(servers);
    const std::vector<uint64_t> ids = RandomIds(5000, 4000, servers);
    index.Build(ids);
    ExpectIndexOf(index, ids, servers);
  }
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
  for (const size_t count : {20000, 1, 15, 16, 17, 0, 300, 5000, 50000}) {
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
