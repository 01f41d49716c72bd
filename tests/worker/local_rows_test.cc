#include "worker/local_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Rows of 2 columns: "w" by SGD at rate 1, "f" by Adagrad at rate 1.
class LocalRowsTest : public ::testing::Test {
 protected:
  LocalRowsTest() : rows_(Make()) {}
  // `ftrl`: of column "f", in place of Adagrad.
  static LocalRows Make(bool ftrl = false) {
    v1::Optimizer optimizer;
    optimizer.mutable_sgd();
    optimizer.set_learning_rate(1);
    v1::Override& override = *optimizer.add_override();
    override.set_match("t/f");
    if (ftrl) {
      override.mutable_ftrl()->set_beta(1);
      override.set_l2(0.5);
    } else {
      override.mutable_adagrad();
    }
    return *LocalRows::Create(optimizer, {"t", {{"w", 1, {}}, {"f", 1, {}}}});
  }

  // The batch reads `ids`; rows that it is the first to read are (10 * id, id).
  std::vector<uint64_t> Read(const std::vector<uint64_t>& ids) {
    const std::span<const uint64_t> span = rows_.Missing(ids);
    const std::vector<uint64_t> missing(span.begin(), span.end());
    std::vector<float> values;
    std::vector<uint32_t> places;
    for (size_t i = missing.size(); i-- > 0;) {  // in another order than they were asked for
      values.push_back(10.0f * static_cast<float>(missing[i]));
      values.push_back(static_cast<float>(missing[i]));
    }
    for (size_t i = 0; i < missing.size(); ++i)
      places.push_back(static_cast<uint32_t>(missing.size() - 1 - i));
    rows_.Arrive({values, places, static_cast<int64_t>(missing.size())});
    return missing;
  }
  std::vector<float> RowAtPlace(size_t place) const {
    const TableRows rows = rows_.rows();
    const float* const row = rows.values.data() + 2 * rows.places[place];
    return {row[0], row[1]};
  }
  void SetGradient(size_t place, float w, float f) {
    rows_.gradients()[2 * rows_.rows().places[place]] = w;
    rows_.gradients()[2 * rows_.rows().places[place] + 1] = f;
  }
  // By place in UpdatedIds.
  std::vector<float> Differences(float factor) {
    std::vector<uint32_t> places;
    for (uint32_t i = 0; i < rows_.UpdatedIds().size(); ++i) places.push_back(i);
    std::vector<float> out(2 * places.size());
    rows_.Differences(factor, places, out);
    return out;
  }

  LocalRows rows_;
};

TEST_F(LocalRowsTest, ARoundReadsEachRowOnceAndGoesOnFromWhereItIs) {
  EXPECT_THAT(Read({3, 5, 3}), ::testing::UnorderedElementsAre(3, 5));
  EXPECT_THAT(RowAtPlace(0), ElementsAre(30, 3));
  EXPECT_THAT(RowAtPlace(1), ElementsAre(50, 5));
  EXPECT_THAT(RowAtPlace(2), ElementsAre(30, 3));
  SetGradient(0, 2, 0);
  SetGradient(1, 0, 0);
  rows_.Apply({1, 0, 1});
  EXPECT_THAT(Read({7, 3}), ElementsAre(7));
  EXPECT_THAT(RowAtPlace(1), ElementsAre(28, 3));
  rows_.Clear();
  EXPECT_THAT(Read({3}), ElementsAre(3));
  EXPECT_THAT(RowAtPlace(0), ElementsAre(30, 3));
}

// f: a = 4, step 2 / 2; then a = 4 + 9, step 3 / sqrt(13).
TEST_F(LocalRowsTest, EachColumnFollowsItsRuleAndKeepsItsSlotsWithinARound) {
  Read({4});
  SetGradient(0, 6, 4);
  rows_.Apply({1, 0, 0.5f});  // of two examples
  SetGradient(0, 1, 6);
  rows_.Apply({1, 0, 0.5f});
  const std::vector<float> differences = Differences(1);
  EXPECT_EQ(differences[0], -3.5f);
  EXPECT_FLOAT_EQ(differences[1], -1 - 3 / std::sqrt(13.0f));
  EXPECT_EQ(Differences(8)[0], -28);
  rows_.Clear();
  Read({4});
  SetGradient(0, 0, 4);
  rows_.Apply({1, 0, 0.5f});
  EXPECT_EQ(Differences(1)[1], -1) << "the accumulator has started anew";
}

// FTRL finds z from the weight: a step of g / (beta + sqrt(n) + l2), wherever the weight is. n = 9,
// then 9 + 16; in the next round 16.
TEST_F(LocalRowsTest, FtrlGoesOnFromTheWeightThatWasRead) {
  rows_ = Make(/*ftrl=*/true);
  Read({4, 0});
  SetGradient(0, 0, 3);
  SetGradient(1, 0, 3);
  rows_.Apply({1, 0, 1});
  SetGradient(0, 0, -4);
  SetGradient(1, 0, -4);
  rows_.Apply({1, 0, 1});
  const float want = -3 / 4.5f + 4 / 6.5f;
  EXPECT_NEAR(Differences(1)[1], want, 1e-6);
  EXPECT_NEAR(Differences(1)[3], want, 1e-6) << "from a weight of 0";
  rows_.Clear();
  Read({4});
  SetGradient(0, 0, -4);
  rows_.Apply({1, 0, 1});
  EXPECT_NEAR(Differences(1)[1], 4 / 5.5f, 1e-6) << "n has started anew";
}

TEST_F(LocalRowsTest, TheScheduleMultipliesTheRate) {
  Read({4});
  SetGradient(0, 8, 0);
  rows_.Apply({0.25, 0, 1});
  EXPECT_EQ(Differences(1)[0], -2);
}

TEST_F(LocalRowsTest, RowsThatWereOnlyReadAreNotSent) {
  Read({1, 2});  // a batch whose gradient was skipped
  Read({2, 6});
  SetGradient(0, 1, 0);
  SetGradient(1, 3, 0);
  rows_.Apply({1, 0, 1});
  EXPECT_THAT(rows_.UpdatedIds(), ElementsAre(2, 6));
  EXPECT_THAT(Differences(1), ElementsAre(-1, 0, -3, 0));
}

TEST_F(LocalRowsTest, ABatchMayReadNoRow) {
  EXPECT_THAT(Read({}), IsEmpty());
  EXPECT_EQ(rows_.rows().rows, 0);
  rows_.Apply({1, 0, 1});
  EXPECT_THAT(rows_.UpdatedIds(), IsEmpty());
}

}  // namespace
}  // namespace convoy
