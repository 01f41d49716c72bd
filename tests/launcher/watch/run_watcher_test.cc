// Runs whose job does not live any more; those that do are tests of `convoy status`.
#include "launcher/watch/run_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/process/run_directory.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr char kEvents[] =
    "{\"time\":1,\"kind\":\"train\",\"generation\":1,\"step\":10,\"examples\":100,\"epoch\":1,"
    "\"loss\":0.5}\n"
    "{\"time\":2,\"kind\":\"checkpoint\",\"generation\":1,\"step\":10,\"bytes\":5}\n{\"time\":3,"
    "\"ki";

class RunWatcherTest : public ::testing::Test {
 protected:
  RunWatcherTest() {
    WriteFile(
        run_ + "/job.textproto",
        "name: 'a' data { train: 'x' } model { mlp {} } training { mode: 'async' epochs: 3 }\n");
    WriteFile(run_ + "/events.jsonl", kEvents);
    WriteFile(run_ + "/lock", "1\n");
  }

  RunView Look() {
    absl::StatusOr<std::unique_ptr<RunWatcher>> watcher = RunWatcher::Open(run_ + "/");
    EXPECT_TRUE(watcher.ok()) << watcher.status();
    absl::StatusOr<RunView> view = (*watcher)->Look();
    EXPECT_TRUE(view.ok()) << view.status();
    return *std::move(view);
  }

  TemporaryFolder folder_;
  const std::string run_ = folder_.path();
};

TEST_F(RunWatcherTest, ARunWithoutSummaryWasKilled) {
  const RunView view = Look();
  EXPECT_FALSE(view.live);
  EXPECT_TRUE(view.ended);
  EXPECT_THAT(view.state, HasSubstr("was killed"));
  EXPECT_EQ(view.job, "a");
  EXPECT_EQ(view.mode, "async");
  EXPECT_EQ(view.progress.step, 10u);
  EXPECT_EQ(view.progress.total_examples, 300u) << "an epoch has 100";
  EXPECT_EQ(view.checkpoints, 1u);
  EXPECT_THAT(view.warnings, ::testing::IsEmpty())
      << "a line that is still being written is no damage";
}

TEST_F(RunWatcherTest, AnEndAfterSomeStepsCountsAsTheCoordinatorCountsIt) {
  const auto total_with = [this](const std::string& training) {
    WriteFile(
        run_ + "/job.textproto",
        "data { train: 'x' } model { mlp {} } training { epochs: 3 batch_size: 30 slices: 2 " +
            training + " }\n");
    return Look().progress.total_examples;
  };
  EXPECT_EQ(total_with("mode: 'sync' max_steps: 2"), 60u);
  EXPECT_EQ(total_with("mode: 'sync' max_steps: 5"), 130u) << "the 4th step ends the epoch of 100";
  EXPECT_EQ(total_with("mode: 'sync' max_steps: 100"), 300u);
  EXPECT_EQ(total_with("mode: 'local_sgd:2' max_steps: 1"), 60u);
  EXPECT_EQ(total_with("mode: 'async' max_steps: 2"), 30u) << "15 examples of one worker each";
}

TEST_F(RunWatcherTest, ASummarySaysHowItEnded) {
  WriteFile(run_ + "/summary.json",
            R"({"steps": 30, "examples": 300, "wall_seconds": 2, "examples_per_second": 150,
    "stopped_early": false, "imbalance": "server 0 carries most", "processes": [
    {"role": "server", "rank": 0, "pid": 7, "bytes_received": 400, "bytes_sent": 200, "peak_rss_bytes": 9},
    {"role": "worker", "rank": 1, "trained_seconds": 2, "waited_seconds": 0.5, "cpu_seconds": 1.5}]})");
  const RunView view = Look();
  EXPECT_EQ(view.state, "ended as planned");
  EXPECT_EQ(view.progress.Fraction(), 1);
  ASSERT_EQ(view.servers.size(), 1u);
  EXPECT_EQ(view.servers[0].received_per_second, 200);
  EXPECT_EQ(view.servers[0].memory_bytes, 9u);
  ASSERT_EQ(view.workers.size(), 1u);
  EXPECT_EQ(view.workers[0].waiting, 0.25);
  EXPECT_THAT(view.warnings, Contains("server 0 carries most"));
}

TEST_F(RunWatcherTest, AFailureIsTold) {
  WriteFile(run_ + "/summary.json", R"({"steps": 3, "failure": "worker 1: out of cheese"})");
  EXPECT_EQ(Look().state, "failed: worker 1: out of cheese");
  WriteFile(run_ + "/summary.json", R"({"steps": 3, "stopped_early": true})");
  EXPECT_EQ(Look().state, "was stopped early");
  WriteFile(run_ + "/summary.json", "{");
  EXPECT_THAT(Look().state, HasSubstr("damaged"));
}

TEST_F(RunWatcherTest, AFolderWithoutARunIsNotFound) {
  TemporaryFolder empty;
  EXPECT_THAT(std::string(RunWatcher::Open(empty.path()).status().message()),
              HasSubstr("there is no run in"));
  EXPECT_THAT(std::string(RunWatcher::Open(empty / "none").status().message()),
              HasSubstr("there is no folder"));
}

TEST_F(RunWatcherTest, ALivingJobWhoseCoordinatorIsNotKnownYetStarts) {
  const auto lock = RunDirectory::Open(run_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(Look().state, "starting");
}

TEST_F(RunWatcherTest, ALivingJobWhoseCoordinatorDoesNotAnswerIsNamed) {
  const auto lock = RunDirectory::Open(run_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  WriteFile(run_ + "/cluster.json",
            R"({"processes": [{"role": "coordinator", "rank": 0, "address": "127.0.0.1:1"}]})");
  const auto watcher = RunWatcher::Open(run_, absl::Milliseconds(200));
  const absl::Status status = (*watcher)->Look().status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not answer"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::to_string(getpid())));
}

}  // namespace
}  // namespace convoy::testing
