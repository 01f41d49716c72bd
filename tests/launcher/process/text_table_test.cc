#include "launcher/process/text_table.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(TextTableTest, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(AlignColumns({{"a", "1"}, {"long", "234"}}, Side::kLeft), "  a     1\n  long  234\n");
  EXPECT_EQ(AlignColumns({{"a", "1"}, {"long", "234"}}, Side::kRight),
            "  a       1\n  long  234\n");
  EXPECT_EQ(AlignColumns({}, Side::kLeft), "");
}

TEST(TextTableTest, BytesHaveOneDigitAndAUnitOfThousands) {
  EXPECT_EQ(BytesText(830), "830 B");
  EXPECT_EQ(BytesText(999.6), "1.0 kB");
  EXPECT_EQ(BytesText(31'000'000), "31.0 MB");
}

TEST(TextTableTest, OneIsSingular) {
  EXPECT_EQ(CountText(1, "server"), "1 server");
  EXPECT_EQ(CountText(0, "worker"), "0 workers");
}

}  // namespace
}  // namespace convoy
