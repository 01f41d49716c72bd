#include "launcher/report/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "tests/launcher/report/sample_run.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using testing::MakeRun;
using ::testing::Not;
using testing::SampleRun;

Target Goal(double value) { return {"validation", "accuracy", value, true}; }

// Seeds 1 and 2 of each mode, the second a bit slower.
Verdict VerdictOn(const std::vector<SampleRun>& samples, std::optional<Target> target = Goal(0.8)) {
  std::vector<RunRecord> runs;
  for (SampleRun sample : samples) {
    for (uint64_t seed : {1, 2}) {
      sample.seed = seed;
      runs.push_back(MakeRun(sample));
      sample.speed *= 0.95;
    }
  }
  return VerdictOf(CompareRuns(std::move(runs), std::move(target)));
}

std::string All(const Verdict& verdict) { return absl::StrJoin(verdict.sentences, "\n"); }

TEST(VerdictTest, NamesTheFirstToReachTheTargetWithItsNumbers) {
  const Verdict verdict = VerdictOn({{.mode = "sync"}, {.mode = "async", .speed = 2000}});
  EXPECT_EQ(verdict.headline,
            "async reached a validation accuracy of 0.8 first: 1.03 s (1.00 s to 1.05 s).");
  EXPECT_THAT(All(verdict), HasSubstr("async reached it 2.00 times as fast as sync: 1.03 s (1.00 s "
                                      "to 1.05 s), sync 2.05 s (2.00 s to 2.11 s)."));
  EXPECT_THAT(All(verdict), HasSubstr("No worker was slowed on purpose: async trained 2.00 times "
                                      "the examples per second of sync."));
  EXPECT_THAT(verdict.rule, HasSubstr("each of its runs is better than each of the other's"));
}

TEST(VerdictTest, DoesNotTellApartWhatOverlaps) {
  const Verdict verdict = VerdictOn({{.mode = "sync"}, {.mode = "async", .speed = 1020}});
  EXPECT_THAT(verdict.headline, HasSubstr("not told apart from it: sync"));
  EXPECT_THAT(All(verdict), HasSubstr("async and sync are not told apart by their time to it"));
  EXPECT_THAT(All(verdict), HasSubstr("(not told apart)"));
}

TEST(VerdictTest, AModeThatIsSlowerIsSaidToBe) {
  const Verdict verdict = VerdictOn({{.mode = "sync"}, {.mode = "async", .speed = 500}});
  EXPECT_THAT(verdict.headline, HasSubstr("sync reached"));
  EXPECT_THAT(All(verdict), HasSubstr("async took 2.00 times as long as sync"));
}

TEST(VerdictTest, AModeThatMissesTheTargetIsNotRanked) {
  const Verdict verdict = VerdictOn(
      {{.mode = "sync"}, {.mode = "async", .accuracies = {0.5, 0.6, 0.7}, .speed = 9000}});
  EXPECT_THAT(verdict.headline, HasSubstr("sync reached"));
  EXPECT_THAT(All(verdict), HasSubstr("async reached it in 0 of 2 runs; it ended at 0.7000."));
  EXPECT_THAT(All(verdict), HasSubstr("worse: async 0.7000"));
}

TEST(VerdictTest, NoModeReachesIt) {
  EXPECT_EQ(VerdictOn({{.mode = "sync"}}, Goal(0.99)).headline,
            "No mode with servers reached a validation accuracy of 0.99 with every seed.");
}

TEST(VerdictTest, SaysWhatBoundedStalenessDoesAgainstEitherStraggler) {
  const Verdict stays = VerdictOn(
      {{.mode = "sync", .slow_worker = "1=3x"}, {.mode = "ssp:3", .slow_worker = "1=3x"}});
  EXPECT_THAT(All(stays), HasSubstr("can only put off the wait for a worker that is always slow: "
                                    "with ssp:3 its speed is not told apart from that of sync"));
  EXPECT_THAT(
      All(stays),
      HasSubstr(
          "In sync the workers waited this share of their time: worker 0 60 %, worker 1 10 %."));
  const Verdict passes = VerdictOn({{.mode = "sync", .slow_worker = "any=3x@10%"},
                                    {.mode = "ssp:3", .speed = 1500, .slow_worker = "any=3x@10%"}});
  EXPECT_THAT(All(passes), HasSubstr("lets the others go on while a worker is slow for a moment: "
                                     "with ssp:3 it runs at 1.50 times the speed of sync"));
  EXPECT_THAT(All(VerdictOn({{.mode = "sync"}, {.mode = "ssp:3"}})),
              Not(HasSubstr("Bounded staleness")));
}

TEST(VerdictTest, SaysWhetherMoreProcessesPay) {
  EXPECT_THAT(All(VerdictOn({{.mode = "single", .speed = 5000}, {.mode = "sync"}})),
              HasSubstr("more processes do not pay"));
  EXPECT_THAT(All(VerdictOn({{.mode = "single", .speed = 500}, {.mode = "sync"}})),
              HasSubstr("has 0.50 times the speed of the fastest of them"));
}

TEST(VerdictTest, ALinkIsCalledModelled) {
  EXPECT_THAT(All(VerdictOn({{.mode = "sync", .link = "100mbit"}})),
              HasSubstr("The link is modelled"));
}

TEST(VerdictTest, FailedRunsAreNamedWithTheirCauseAndAModeThatHasOneIsNotRanked) {
  const Verdict verdict = VerdictOf(
      CompareRuns({MakeRun({.mode = "async", .speed = 9000}),
                   MakeRun({.mode = "async", .seed = 2, .failure = "gradient is not finite\nmore"}),
                   MakeRun({.mode = "sync"})},
                  Goal(0.8)));
  EXPECT_THAT(verdict.headline, HasSubstr("sync reached"));
  EXPECT_THAT(All(verdict),
              HasSubstr("async with seed 2 did not end as planned: gradient is not finite."));
  EXPECT_EQ(VerdictOf(CompareRuns({MakeRun({.failure = "x"})}, std::nullopt)).headline,
            "No run ended as planned: there is nothing to compare.");
}

TEST(VerdictTest, WithoutATargetTheLastValueCounts) {
  const Verdict verdict =
      VerdictOn({{.mode = "sync"}, {.mode = "async", .accuracies = {0.5, 0.95}, .speed = 3000}},
                std::nullopt);
  EXPECT_EQ(verdict.headline, "async ended with the best validation accuracy: 0.9500.");
  EXPECT_THAT(All(verdict),
              HasSubstr("async trained the most examples per second: 2,925 (2,850 to 3,000)."));
}

}  // namespace
}  // namespace convoy
