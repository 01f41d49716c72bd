#include "launcher/coordinator/setup_comparison.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

v1::ReadyRequest SetupOf(int variables, int ranges, uint32_t columns) {
  v1::ReadyRequest setup;
  for (int i = 0; i < variables; ++i) {
    v1::Variable& variable = *setup.add_variables();
    variable.set_name(absl::StrCat("v", i));
    variable.add_shape(columns);
  }
  v1::Table& table = *setup.add_tables();
  table.set_name("rows");
  for (int i = 0; i < ranges; ++i) {
    v1::ColumnRange& range = *table.add_ranges();
    range.set_name(absl::StrCat("r", i));
    range.set_size(columns);
  }
  setup.mutable_data()->set_examples(100);
  return setup;
}

std::string DifferenceOf(const v1::ReadyRequest& a, const v1::ReadyRequest& b) {
  return DescribeDifference("worker 1", a, "worker 0", b);
}

TEST(SetupComparisonTest, EqualOnesDoNotDiffer) {
  EXPECT_EQ(DifferenceOf(SetupOf(3, 2, 4), SetupOf(3, 2, 4)), "");
}

TEST(SetupComparisonTest, TheFirstVariableThatDiffersIsShownAndTheOthersAreCounted) {
  EXPECT_EQ(DifferenceOf(SetupOf(300, 2, 4), SetupOf(300, 2, 5)),
            "the workers have different models: variable 0 of worker 1 is \"v0\" [4] ZEROS(0), "
            "that of worker 0 is \"v0\" [5] ZEROS(0), and 299 more differ");
  EXPECT_EQ(DifferenceOf(SetupOf(3, 2, 4), SetupOf(2, 2, 4)),
            "the workers have different models: variable 2 of worker 1 is \"v2\" [4] ZEROS(0), "
            "that of worker 0 is no such variable");
}

TEST(SetupComparisonTest, OfATableTheRangeThatDiffersIsShown) {
  v1::ReadyRequest other = SetupOf(1, 1000, 4);
  other.mutable_tables(0)->mutable_ranges(700)->set_size(8);
  other.mutable_tables(0)->mutable_ranges(800)->set_size(8);
  EXPECT_EQ(DifferenceOf(SetupOf(1, 1000, 4), other),
            "the workers have different models: table range 700 of worker 1 is \"rows\" {r700: 4 "
            "ZEROS(0)}, that of worker 0 is \"rows\" {r700: 8 ZEROS(0)}, and 1 more differs");
}

TEST(SetupComparisonTest, DataAreComparedByTheirFiguresFirst) {
  v1::ReadyRequest other = SetupOf(1, 1, 4);
  other.mutable_data()->set_examples(99);
  other.mutable_data()->set_fingerprint(7);
  EXPECT_EQ(DifferenceOf(SetupOf(1, 1, 4), other),
            "the workers have different data: worker 1 has 100 training examples, worker 0 has 99");
}

}  // namespace
}  // namespace convoy
