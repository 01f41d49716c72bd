#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "launcher/dashboard/dashboard.h"
#include "tests/testing/http_get.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DashboardTest, ServesThePageAndSamplesWithoutAnybodyAsking) {
  std::atomic<int> looks = 0;
  Dashboard::Options options;
  options.job = "toys";
  options.mode = "async";
  options.period = absl::Milliseconds(1);
  options.look = [&looks](uint64_t seen) {
    v1::GetProgressReply reply;
    reply.set_phase(v1::TRAINING);
    reply.mutable_figures()->set_now_ms(static_cast<uint64_t>(1000 + ++looks));
    reply.mutable_figures()->set_training_ms(1);
    if (seen == 0) reply.add_events(R"({"time":1,"kind":"checkpoint","step":5,"bytes":100})");
    reply.set_events_seen(1);
    return reply;
  };
  absl::StatusOr<std::unique_ptr<Dashboard>> dashboard = Dashboard::Start(std::move(options));
  ASSERT_TRUE(dashboard.ok()) << dashboard.status();
  const std::string url = (*dashboard)->url();
  const auto port = static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  while (looks < 20) std::this_thread::yield();

  const HttpReply page = HttpGet(port, "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("uPlot"));
  EXPECT_THAT(page.body, HasSubstr("window.convoyDashboard"));
  EXPECT_THAT(page.body, Not(HasSubstr("{{"))) << "all parts are filled in";
  const auto data = nlohmann::json::parse(HttpGet(port, "/data?events=0&samples=0&thinned=0").body);
  EXPECT_EQ(data["job"], "toys");
  EXPECT_EQ(data["state"], "training");
  EXPECT_EQ(data["events"].size(), 1u);
  ASSERT_EQ(data["lines"].size(), 1u);
  EXPECT_THAT(data["lines"][0], HasSubstr("checkpoint at step 5"));
  EXPECT_GE(data["samples"].size(), 5u);
  EXPECT_EQ(nlohmann::json::parse(HttpGet(port, "/data?events=1").body)["events"].size(), 0u);
}

}  // namespace
}  // namespace convoy::testing
