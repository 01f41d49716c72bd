#include "worker/data/split.h"

#include <algorithm>

#include "common/math/random.h"
#include "data_files.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::testing::HasSubstr;
using Rows = std::vector<uint32_t>;

// Fractions of 0 are not set.
v1::Data Fractions(double validation, double test) {
  v1::Data data;
  if (validation != 0) data.mutable_validation()->set_fraction(validation);
  if (test != 0) data.mutable_test()->set_fraction(test);
  return data;
}

TEST(SplitTest, ThePartsAreDisjointAscendingAndCoverAllRows) {
  for (const uint64_t n : {3, 10, 101, 1000}) {
    const Split split = *DrawSplit(Fractions(0.2, 0.3), n, 7);
    Rows all;
    for (const Rows* part : {&split.train, &split.validation, &split.test}) {
      EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
      EXPECT_FALSE(part->empty());
      all.insert(all.end(), part->begin(), part->end());
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), n);
    for (uint32_t i = 0; i < n; ++i) EXPECT_EQ(all[i], i);
  }
}

TEST(SplitTest, SizesAreRoundedFractions) {
  const Split split = *DrawSplit(Fractions(0.2, 0.15), 103, 7);
  EXPECT_EQ(split.validation.size(), 21u);  // 20.6
  EXPECT_EQ(split.test.size(), 15u);        // 15.45
  EXPECT_EQ(split.train.size(), 67u);
}

TEST(SplitTest, ValidationIsTheBeginningOfTheNamedPermutationAndTestItsEnd) {
  const Rows order = SeededPermutation(10, 7, "validation split", 0);
  const Split split = *DrawSplit(Fractions(0.2, 0.3), 10, 7);
  EXPECT_THAT(split.validation, ::testing::UnorderedElementsAre(order[0], order[1]));
  EXPECT_THAT(split.test, ::testing::UnorderedElementsAre(order[7], order[8], order[9]));
}

TEST(SplitTest, EachPartKeepsItsRowsWhateverTheOtherIs) {
  const Split both = *DrawSplit(Fractions(0.2, 0.3), 100, 7);
  EXPECT_EQ(DrawSplit(Fractions(0.2, 0), 100, 7)->validation, both.validation);
  EXPECT_EQ(DrawSplit(Fractions(0.2, 0.5), 100, 7)->validation, both.validation);
  EXPECT_EQ(DrawSplit(Fractions(0, 0.3), 100, 7)->test, both.test);
  EXPECT_EQ(DrawSplit(Fractions(0.6, 0.3), 100, 7)->test, both.test);
  EXPECT_NE(DrawSplit(Fractions(0.2, 0.3), 100, 8)->test, both.test);
}

TEST(SplitTest, APartWithoutFractionIsEmpty) {
  const Split split = *DrawSplit(Fractions(0, 0.3), 10, 7);
  EXPECT_TRUE(split.validation.empty());
  EXPECT_EQ(split.train.size(), 7u);
}

TEST(SplitTest, SomethingMustBeLeftToTrainOn) {
  EXPECT_THAT(DrawSplit(Fractions(0.6, 0.4), 10, 7).status(),
              Fails(kInvalid, HasSubstr("take 6 and 4 of 10 examples: nothing is left")));
  // At least one each: 1 + 1 of 2.
  EXPECT_THAT(DrawSplit(Fractions(0.1, 0.1), 2, 7).status(),
              Fails(kInvalid, HasSubstr("take 1 and 1 of 2 examples")));
  EXPECT_THAT(DrawSplit(Fractions(0, 1.5), 10, 7).status(),
              Fails(kInvalid, HasSubstr("data.test.fraction: expected a number between 0 and 1")));
  EXPECT_THAT(DrawSplit(Fractions(0, 0.5), 1, 7).status(),
              Fails(kInvalid, HasSubstr("data.test.fraction needs at least 2 examples, got 1")));
}

}  // namespace
}  // namespace convoy
