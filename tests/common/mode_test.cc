#include "common/mode.h"

#include <string>

#include "gtest/gtest.h"

namespace convoy {
namespace {

std::string ErrorOf(std::string_view text) {
  return std::string(ParseMode(text).status().message());
}

TEST(ModeTest, EveryModeIsParsedAndPrintedTheSameWay) {
  EXPECT_EQ(ParseMode("sync").value(), (Mode{Mode::Kind::kSync, 0}));
  EXPECT_EQ(ParseMode("async").value(), (Mode{Mode::Kind::kAsync, 0}));
  EXPECT_EQ(ParseMode("ssp:3").value(), (Mode{Mode::Kind::kSsp, 3}));
  for (const char* text : {"sync", "async", "ssp:0", "ssp:3", "ssp:4294967295"}) {
    EXPECT_EQ(ToString(ParseMode(text).value()), text);
  }
}

TEST(ModeTest, SspWithoutABoundAsksForOne) {
  EXPECT_EQ(ErrorOf("ssp"), "mode \"ssp\" needs a bound, e.g. ssp:3");
  EXPECT_EQ(ErrorOf("ssp:"), "mode \"ssp:\" needs a bound, e.g. ssp:3");
}

TEST(ModeTest, SspBoundMustBeAWholeNumberOf32Bits) {
  for (const char* bound : {"x", "-1", "+1", " 1", "1.5", "4294967296"}) {
    EXPECT_EQ(ErrorOf(std::string("ssp:") + bound),
              std::string("mode \"ssp:") + bound +
                  "\": the bound must be a whole number from 0 to 4294967295, got \"" + bound +
                  "\", e.g. ssp:3");
  }
}

TEST(ModeTest, BoundOfAnotherModeIsRefused) {
  EXPECT_EQ(ErrorOf("sync:3"), "mode \"sync:3\": sync takes no bound. Modes: sync, async, ssp:S");
}

TEST(ModeTest, UnknownModeSuggestsTheNearestAndListsAll) {
  EXPECT_EQ(ErrorOf("asynch"),
            "unknown mode \"asynch\", did you mean \"async\"? Modes: sync, async, ssp:S");
  EXPECT_EQ(ErrorOf("SYNC"),
            "unknown mode \"SYNC\", did you mean \"sync\"? Modes: sync, async, ssp:S");
  EXPECT_EQ(ErrorOf("hogwild"), "unknown mode \"hogwild\". Modes: sync, async, ssp:S");
  EXPECT_EQ(ErrorOf(""), "unknown mode \"\". Modes: sync, async, ssp:S");
}

}  // namespace
}  // namespace convoy
