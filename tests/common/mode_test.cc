#include "common/mode.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace convoy {
namespace {

std::string ModeError(std::string_view text) {
  return std::string(ParseMode(text).status().message());
}

TEST(ModeTest, EveryModeIsParsedAndPrintedTheSameWay) {
  EXPECT_EQ(ParseMode("sync").value(), (Mode{Mode::Kind::kSync, 0}));
  EXPECT_EQ(ParseMode("async").value(), (Mode{Mode::Kind::kAsync, 0}));
  EXPECT_EQ(ParseMode("ssp:3").value(), (Mode{Mode::Kind::kSsp, 3}));
  EXPECT_EQ(ParseMode("single").value(), (Mode{.kind = Mode::Kind::kSingle}));
  EXPECT_EQ(ParseMode("geo:4").value(), (Mode{.kind = Mode::Kind::kGeo, .local_steps = 4}));
  EXPECT_EQ(ParseMode("local_sgd:16").value(),
            (Mode{.kind = Mode::Kind::kLocalSgd, .local_steps = 16}));
  EXPECT_EQ(ParseMode("sync,backup=2").value(), (Mode{.kind = Mode::Kind::kSync, .backup = 2}));
  EXPECT_EQ(ParseMode("async,scale_by_staleness").value(),
            (Mode{.kind = Mode::Kind::kAsync, .scale_by_staleness = true}));
  for (const char* text : {"sync", "async", "ssp:0", "ssp:3", "ssp:4294967295", "single", "geo:1",
                           "local_sgd:16", "sync,backup=1", "async,scale_by_staleness"}) {
    EXPECT_EQ(ToString(ParseMode(text).value()), text);
  }
}

TEST(ModeTest, SspWithoutABoundAsksForOne) {
  EXPECT_EQ(ModeError("ssp"), "mode \"ssp\" needs a bound, e.g. ssp:3");
  EXPECT_EQ(ModeError("ssp:"), "mode \"ssp:\" needs a bound, e.g. ssp:3");
}

TEST(ModeTest, SspBoundMustBeAWholeNumberOf32Bits) {
  for (const char* bound : {"x", "-1", "+1", " 1", "1.5", "4294967296"}) {
    EXPECT_EQ(ModeError(std::string("ssp:") + bound),
              std::string("mode \"ssp:") + bound +
                  "\": the bound must be a whole number from 0 to 4294967295, got \"" + bound +
                  "\", e.g. ssp:3");
  }
}

TEST(ModeTest, BoundOfAnotherModeIsRefused) {
  EXPECT_EQ(ModeError("sync:3"),
            absl::StrCat("mode \"sync:3\": sync takes no bound. Modes: ", kModeNames));
}

TEST(ModeTest, UnknownModeSuggestsTheNearestAndListsAll) {
  EXPECT_EQ(ModeError("asynch"),
            absl::StrCat("unknown mode \"asynch\", did you mean \"async\"? Modes: ", kModeNames));
  EXPECT_EQ(ModeError("SYNC"),
            absl::StrCat("unknown mode \"SYNC\", did you mean \"sync\"? Modes: ", kModeNames));
  EXPECT_EQ(ModeError("hogwild"), absl::StrCat("unknown mode \"hogwild\". Modes: ", kModeNames));
  EXPECT_EQ(ModeError(""), absl::StrCat("unknown mode \"\". Modes: ", kModeNames));
}

TEST(ModeTest, LocalModesNeedTheirNumberOfSteps) {
  EXPECT_EQ(ModeError("local_sgd"),
            "mode \"local_sgd\" needs a number of local steps, e.g. local_sgd:16");
  EXPECT_EQ(ModeError("geo:0"),
            "mode \"geo:0\": the number of local steps must be a whole number from 1 to "
            "4294967295, got \"0\", "
            "e.g. geo:16");
}

TEST(ModeTest, OptionsOfOneModeAreNoneOfAnother) {
  EXPECT_EQ(
      ModeError("sync,backup=0"),
      "mode \"sync,backup=0\": backup must be a whole number from 1 to 4294967295, got \"0\", e.g. "
      "sync,backup=1");
  EXPECT_EQ(
      ModeError("async,backup=1"),
      "mode \"async,backup=1\": unknown option \"backup=1\" of async, there is scale_by_staleness");
  EXPECT_EQ(ModeError("sync,scale_by_staleness"),
            "mode \"sync,scale_by_staleness\": unknown option \"scale_by_staleness\" of sync, "
            "there is backup");
  EXPECT_EQ(ModeError("single,backup=1"),
            absl::StrCat("mode \"single,backup=1\": single has no options. Modes: ", kModeNames));
}

}  // namespace
}  // namespace convoy
