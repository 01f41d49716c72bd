#include "launcher/watch/live_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::Optional;

// A job that has trained since second 2; a heartbeat of each process at `now_ms`.
v1::GetProgressReply ReplyAt(uint64_t now_ms, uint64_t examples, double trained, double waited) {
  v1::GetProgressReply reply;
  reply.set_phase(v1::TRAINING);
  reply.set_examples(examples);
  reply.set_total_examples(10000);
  reply.mutable_figures()->set_now_ms(now_ms + 250);
  reply.mutable_figures()->set_training_ms(2000);
  reply.mutable_figures()->set_step(examples / 10);
  reply.mutable_figures()->set_total_steps(1000);
  for (const v1::Role role : {v1::SERVER, v1::WORKER}) {
    v1::ProcessInfo& info = *reply.add_processes();
    info.set_role(role);
    info.set_heard_ms(now_ms);
    info.set_step(examples / 10);
    info.mutable_usage()->set_cpu_seconds(trained);
    info.mutable_usage()->set_rss_bytes(1000);
    info.mutable_usage()->set_peak_rss_bytes(2000);
    info.mutable_usage()->set_examples(examples);
    info.mutable_usage()->set_trained_seconds(trained);
    info.mutable_usage()->set_waited_seconds(waited);
    if (role == v1::SERVER) info.mutable_stats()->set_bytes_received(examples * 100);
    if (role == v1::SERVER) info.mutable_stats()->set_parked(3);
  }
  return reply;
}

TEST(LiveViewTest, OneLookGivesMeansSinceTheTrainingBegan) {
  LiveView live;
  RunView view;
  live.Update(ReplyAt(6000, /*examples=*/400, /*trained=*/4, /*waited=*/1), &view);
  ASSERT_EQ(view.workers.size(), 1u);
  ASSERT_EQ(view.servers.size(), 1u);
  EXPECT_TRUE(view.live);
  EXPECT_EQ(view.state, "training");
  EXPECT_DOUBLE_EQ(view.seconds, 4.25);
  EXPECT_EQ(view.progress.step, 40u);
  EXPECT_EQ(view.total_steps, 1000u);
  const ProcessView& worker = view.workers[0];
  EXPECT_THAT(worker.examples_per_second, Optional(100.0)) << "400 in 4 s";
  EXPECT_THAT(worker.waiting, Optional(0.25));
  EXPECT_THAT(worker.busy_per_example, Optional(3.0 / 400));
  EXPECT_FALSE(worker.silent_seconds) << "0.25 s are not long";
  EXPECT_EQ(worker.memory_bytes, 1000u) << "of now, not the peak";
  EXPECT_THAT(view.servers[0].received_per_second, Optional(10000.0));
  EXPECT_THAT(view.servers[0].parked, Optional(3u));
}

TEST(LiveViewTest, RatesAreThoseOfTheLastSeconds) {
  LiveView live;
  RunView first, later;
  live.Update(ReplyAt(6000, 400, 4, 1), &first);
  live.Update(ReplyAt(8000, 1000, 6, 2.5), &later);
  EXPECT_THAT(later.workers[0].examples_per_second, Optional(300.0)) << "600 in 2 s";
  EXPECT_THAT(later.workers[0].waiting, Optional(0.75));
  EXPECT_THAT(later.workers[0].cpu, Optional(1.0));
  // The first two are too old by now.
  RunView last;
  live.Update(ReplyAt(13000, 1500, 11, 2.5), &last);
  EXPECT_THAT(last.workers[0].examples_per_second, Optional(100.0)) << "500 in 5 s";
}

TEST(LiveViewTest, TwoLooksAtTheSameHeartbeatGiveTheSameRates) {
  LiveView live;
  RunView first, again;
  live.Update(ReplyAt(6000, 400, 4, 1), &first);
  live.Update(ReplyAt(6000, 400, 4, 1), &again);
  EXPECT_EQ(first.workers[0].examples_per_second, again.workers[0].examples_per_second);
}

TEST(LiveViewTest, AnotherCoordinatorBeginsAnew) {
  LiveView live;
  RunView before, after;
  live.Update(ReplyAt(60000, 9000, 58, 1), &before);
  live.Update(ReplyAt(3000, 50, 1, 0), &after);
  EXPECT_THAT(after.workers[0].examples_per_second, Optional(50.0));
}

TEST(LiveViewTest, OneThatIsLostTakesNoRatesFromTheOneThatHasItsRank) {
  LiveView live;
  RunView first, later;
  for (RunView* const view : {&first, &later}) {
    const bool again = view == &later;
    v1::GetProgressReply reply = again ? ReplyAt(8000, 1000, 6, 2.5) : ReplyAt(6000, 400, 4, 1);
    v1::ProcessInfo& lost = *reply.add_processes();
    lost.set_role(v1::WORKER);
    lost.set_lost("worker 0 was killed");
    live.Update(reply, view);
  }
  ASSERT_EQ(later.workers.size(), 2u);
  EXPECT_THAT(later.workers[0].examples_per_second, Optional(300.0)) << "600 in 2 s";
  EXPECT_EQ(later.workers[1].activity, "lost: worker 0 was killed");
}

TEST(LiveViewTest, AProcessIsSilentAfterThreeOfItsHeartbeatsAndThreeSecondsAtLeast) {
  const auto silence = [](uint64_t seconds, uint32_t heartbeat_ms) {
    v1::GetProgressReply reply = ReplyAt(6000, 400, 4, 1);
    reply.mutable_figures()->set_now_ms(6000 + 1000 * seconds);
    reply.mutable_job()->mutable_cluster()->set_heartbeat_ms(heartbeat_ms);
    LiveView live;
    RunView view;
    live.Update(reply, &view);
    return view.workers.at(0).silent_seconds;
  };
  EXPECT_FALSE(silence(2, 100));
  EXPECT_THAT(silence(4, 100), Optional(4.0));
  EXPECT_FALSE(silence(4, 5000)) << "they are far apart in this job";
  EXPECT_THAT(silence(16, 5000), Optional(16.0));
}

TEST(LiveViewTest, BeforeTheTrainingThereAreNoRates) {
  v1::GetProgressReply reply = ReplyAt(1500, 0, 0, 0);
  reply.set_phase(v1::STARTING);
  reply.mutable_figures()->set_training_ms(0);
  reply.mutable_processes(1)->set_activity("reading train.csv");
  LiveView live;
  RunView view;
  live.Update(reply, &view);
  EXPECT_EQ(view.state, "starting");
  EXPECT_FALSE(view.workers[0].examples_per_second);
  EXPECT_EQ(view.workers[0].activity, "reading train.csv");
}

}  // namespace
}  // namespace convoy
