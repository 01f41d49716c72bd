#include "launcher/dashboard/dashboard_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace convoy {
namespace {

RunView ViewAt(double seconds) {
  RunView view;
  view.job = "toys \xff";
  view.seconds = seconds;
  ProcessView& worker = view.workers.emplace_back();
  worker.step = 7;
  worker.waiting = 0.25;
  worker.staleness = std::numeric_limits<double>::quiet_NaN();
  view.servers.emplace_back().server = true;
  return view;
}

TEST(DashboardJsonTest, HasThePresentAndWhatThePageHasNotSeen) {
  Samples samples;
  for (int i = 0; i < 3; ++i) samples.Add(ViewAt(i));
  v1::GetProgressReply news;
  news.add_events("{\"kind\":\"train\"}");
  news.set_events_seen(9);
  news.set_job_id(0xab);
  const auto json =
      nlohmann::json::parse(DashboardJson(ViewAt(5), news, samples, {.events = 8, .samples = 2}));
  EXPECT_EQ(json["workers"][0]["step"], 7);
  EXPECT_EQ(json["workers"][0]["waiting"], 0.25);
  EXPECT_TRUE(json["workers"][0]["staleness"].is_null()) << "not a number";
  EXPECT_TRUE(json["servers"][0]["parked"].is_null());
  EXPECT_EQ(json["events"][0], "{\"kind\":\"train\"}");
  EXPECT_EQ(json["events_seen"], 9);
  EXPECT_EQ(json["coordinator"], "00000000000000ab");
  EXPECT_EQ(json["samples_from"], 2);
  ASSERT_EQ(json["samples"].size(), 1u);
  EXPECT_EQ(json["samples"][0][0], 2) << "second 2";
  EXPECT_EQ(json["samples"][0][1][0][0], 7) << "step of worker 0";
}

TEST(DashboardJsonTest, APageThatHasSeenOtherSamplesGetsAll) {
  Samples samples(4);
  for (int i = 0; i < 4; ++i) samples.Add(ViewAt(i));  // 0 and 2 are left
  const auto thinned =
      nlohmann::json::parse(DashboardJson(ViewAt(5), {}, samples, {.samples = 1, .thinned = 0}));
  EXPECT_EQ(thinned["samples"].size(), 2u);
  EXPECT_EQ(thinned["samples_from"], 0);
  const auto more =
      nlohmann::json::parse(DashboardJson(ViewAt(5), {}, samples, {.samples = 100, .thinned = 1}));
  EXPECT_EQ(more["samples"].size(), 2u) << "of another coordinator";
}

TEST(DashboardJsonTest, QueriesOfAnyKindAreRead) {
  const SeenByPage seen = ParseSeen("events=12&samples=3&thinned=1&other=7");
  EXPECT_EQ(seen.events, 12u);
  EXPECT_EQ(seen.samples, 3u);
  EXPECT_EQ(seen.thinned, 1u);
  for (const char* odd : {"", "&&", "events", "events=", "events=-1",
                          "events=x&samples=99999999999999999999999", "="}) {
    EXPECT_EQ(ParseSeen(odd).events, 0u) << odd;
    EXPECT_EQ(ParseSeen(odd).samples, 0u) << odd;
  }
}

}  // namespace
}  // namespace convoy
