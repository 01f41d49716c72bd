#include "launcher/watch/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<ProcessView> Workers(const std::vector<double>& busy_per_example) {
  std::vector<ProcessView> workers;
  for (const double busy : busy_per_example) {
    ProcessView& worker = workers.emplace_back();
    worker.rank = static_cast<uint32_t>(workers.size() - 1);
    if (busy > 0) worker.busy_per_example = busy;
  }
  return workers;
}

TEST(WarningsTest, AStragglerIsNamedWithHowSlowItIs) {
  EXPECT_THAT(StragglerWarnings(Workers({1, 1.1, 3.3, 1.1})),
              ElementsAre("worker 2 needs 3.0 times as long for an example as the other workers"));
  EXPECT_THAT(StragglerWarnings(Workers({1, 2})),
              ElementsAre("worker 1 needs 2.0 times as long for an example as the other workers"));
}

TEST(WarningsTest, WorkersThatAreAlikeOrUnknownAreNoStragglers) {
  EXPECT_THAT(StragglerWarnings(Workers({1, 1.4, 1.2})), IsEmpty());
  EXPECT_THAT(StragglerWarnings(Workers({5})), IsEmpty());
  EXPECT_THAT(StragglerWarnings(Workers({0, 5, 0})), IsEmpty()) << "nothing to compare with";
}

// At second 100 of a job with one worker that last began a step at `stepped_ms`.
v1::GetProgressReply TrainingReply(uint64_t stepped_ms) {
  v1::GetProgressReply reply;
  reply.set_phase(v1::TRAINING);
  reply.mutable_figures()->set_now_ms(100'000);
  reply.mutable_figures()->set_training_ms(1000);
  reply.add_processes()->set_stepped_ms(stepped_ms);
  return reply;
}

TEST(WarningsTest, AJobThatStandsStillIsNoticed) {
  RunView view;
  view.workers = Workers({0});
  EXPECT_THAT(LiveWarnings(TrainingReply(90'000), view), IsEmpty());
  EXPECT_THAT(LiveWarnings(TrainingReply(60'000), view),
              ElementsAre("no worker has begun a step for 40 s"));
  EXPECT_THAT(LiveWarnings(TrainingReply(0), view),
              ElementsAre("no worker has begun a step for 99 s"));
  view.workers[0].finished = true;
  EXPECT_THAT(LiveWarnings(TrainingReply(60'000), view), IsEmpty());
}

TEST(WarningsTest, AProcessThatIsSilentIsNoticed) {
  RunView view;
  view.workers = Workers({0});
  view.workers[0].silent_seconds = 4;
  EXPECT_THAT(LiveWarnings(TrainingReply(99'000), view),
              ElementsAre("worker 0 was not heard of for 4 s"));
  view.workers[0].silent_seconds.reset();
  EXPECT_THAT(LiveWarnings(TrainingReply(99'000), view), IsEmpty());
}

TEST(WarningsTest, WhatTheCoordinatorNoticedIsHandedOn) {
  v1::GetProgressReply reply = TrainingReply(99'000);
  reply.add_notes("server 1 carries most");
  reply.mutable_figures()->set_failed_checkpoints(2);
  EXPECT_THAT(LiveWarnings(reply, RunView()), ElementsAre("server 1 carries most"))
      << "why checkpoints failed is said by the events, see AddHistory";
}

}  // namespace
}  // namespace convoy
