#include "launcher/commands/compare/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SweepTest, RatesAreAscendingAndEachIsThereOnce) {
  EXPECT_THAT(*ParseSweep("learning_rate=0.1,0.01,0.1,3e-2"), ElementsAre(0.01, 0.03, 0.1));
  EXPECT_THAT(*ParseSweep("optimizer.learning_rate=1"), ElementsAre(1));
  EXPECT_THAT(*ParseSweep(""), IsEmpty());
}

TEST(SweepTest, WhatIsNoSweepIsRefusedWithAnExample) {
  for (const char* text : {"learning_rate", "momentum=1", "learning_rate=", "learning_rate=0.1,",
                           "learning_rate=0", "learning_rate=-1", "learning_rate=inf", "=0.1"}) {
    const absl::Status status = ParseSweep(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("learning_rate=0.01,0.03,0.1")) << text;
  }
}

}  // namespace
}  // namespace convoy
