// A machine whose clock is set, by hours in both directions, while a job runs: nobody is missed,
// nothing is waited for longer, and time goes on evenly in what the job writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ClockTest : public ::testing::Test {
 protected:
  ClockTest() {
    WriteFile(folder_ / "train.libsvm", ParityLines(4000));
    SetClock(0);
  }

  void SetClock(double hours) const {
    const auto nanos = static_cast<int64_t>(hours * 3600e9);
    std::string bytes(sizeof(nanos), '\0');
    std::memcpy(bytes.data(), &nanos, sizeof(nanos));
    // In place: processes have mapped it.
    FILE* const file = std::fopen(clock_.c_str(), std::filesystem::exists(clock_) ? "r+" : "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(std::fwrite(bytes.data(), bytes.size(), 1, file), 1u);
    EXPECT_EQ(std::fclose(file), 0);
  }
  std::vector<std::string> Command(const std::string& run, const std::string& mode) const {
    WriteFile(folder_ / "job.textproto",
              absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" }\n"
                           "model { mlp { hidden: 32 } classes: 2 }\n"
                           "optimizer { adam {} learning_rate: 0.01 }\n"
                           "training { mode: \"",
                           mode,
                           "\" epochs: 30 batch_size: 20 slices: 4 report_every_steps: 20 }\n"
                           "cluster { servers: 2 workers: 2 lost_after_ms: ",
                           lost_after_ms_,
                           " }\n"
                           "checkpoint { every_seconds: 0.5 }\n"));
    return {"env",
            absl::StrCat("LD_PRELOAD=", SHIFTED_CLOCK),
            absl::StrCat("SHIFTED_CLOCK_FILE=", clock_),
            CONVOY_BINARY,
            "train",
            folder_ / "job.textproto",
            "--run-dir",
            folder_ / run};
  }
  std::string Events(const std::string& run) const {
    return ReadFile(folder_ / (run + "/events.jsonl"));
  }
  nlohmann::json Summary(const std::string& run) const {
    return nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  // Waits until the job has come to this epoch.
  void AwaitEpoch(const std::string& run, int epoch) const {
    for (int i = 0; i < 30000; ++i) {
      const std::string events = Events(run), text = "\"epoch\":";
      const size_t at = events.rfind(text);
      if (at != std::string::npos && std::atof(events.c_str() + at + text.size()) >= epoch) return;
      SleepMs(2);
    }
    ADD_FAILURE() << run << " has not come to epoch " << epoch;
  }
  static void Kill(const Program& program, const std::string& role) {
    for (const LaunchedChild& child : LaunchedChildren(program.pid())) {
      if (child.role == role) kill(child.pid, SIGKILL);
    }
  }
  void ExpectTimesToGoOn(const std::string& run) const {
    double before = 0;
    const std::string events = Events(run);
    for (const auto& line : absl::StrSplit(events, '\n', absl::SkipEmpty())) {
      const auto event = nlohmann::json::parse(std::string(line));
      EXPECT_GE(event["time"].get<double>(), before) << line;
      before = event["time"].get<double>();
    }
    EXPECT_LT(before, 600);
    EXPECT_LT(Summary(run)["wall_seconds"].get<double>(), 600);
    EXPECT_GT(Summary(run)["wall_seconds"].get<double>(), 0);
  }

  TemporaryFolder folder_;
  const std::string clock_ = folder_ / "clock";
  int lost_after_ms_ = 2000;
};

TEST_F(ClockTest, IsReallySet) {
  const std::vector<std::string> date = {"env", absl::StrCat("LD_PRELOAD=", SHIFTED_CLOCK),
                                         absl::StrCat("SHIFTED_CLOCK_FILE=", clock_), "date",
                                         "+%s"};
  const auto before = std::stoll(RunProgram(date).output);
  SetClock(24);
  EXPECT_NEAR(static_cast<double>(std::stoll(RunProgram(date).output) - before), 24 * 3600, 60);
}

TEST_F(ClockTest, JobsGoOnWhateverItSays) {
  for (const char* mode : {"sync", "async"}) {
    SCOPED_TRACE(mode);
    SetClock(0);
    const std::string run = absl::StrCat("run-", mode);
    Program program(Command(run, mode));
    int epoch = 2;
    for (const double hours : {1.0, -2.0, 30.0, -500.0, 0.0}) {
      AwaitEpoch(run, epoch += 4);
      SetClock(hours);
    }
    const ProgramResult result = program.Wait();
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_THAT(Events(run), Not(HasSubstr("\"lost\"")));
    EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
    EXPECT_EQ(Summary(run)["examples"], 120000);
    EXPECT_GE(Summary(run)["checkpoints_saved"], 1);
    ExpectTimesToGoOn(run);
  }
}

// Those that come later have another clock.
TEST_F(ClockTest, ProcessesAreReplacedAfterItWasSet) {
  SetClock(0);
  ASSERT_EQ(RunProgram(Command("alone", "sync")).exit_code, 0);
  Program program(Command("run", "sync"));
  AwaitEpoch("run", 4);
  SetClock(-3);
  Kill(program, "coordinator");
  AwaitEpoch("run", 10);
  Kill(program, "worker");
  AwaitEpoch("run", 16);
  SetClock(48);
  Kill(program, "coordinator");
  const ProgramResult result = program.Wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
  EXPECT_EQ(Summary("run")["coordinators_replaced"], 2) << result.output;
  EXPECT_EQ(Summary("run")["workers_replaced"], 2) << result.output;
  ExpectTimesToGoOn("run");
  EXPECT_TRUE(ReadFile(folder_ / "run/model.safetensors") ==
              ReadFile(folder_ / "alone/model.safetensors"));
}

}  // namespace
}  // namespace convoy::testing
