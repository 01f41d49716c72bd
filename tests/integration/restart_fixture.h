// A job whose processes tests kill and freeze while it runs, to be compared with one that was left
// alone.
#ifndef CONVOY_TESTS_INTEGRATION_RESTART_FIXTURE_H_
#define CONVOY_TESTS_INTEGRATION_RESTART_FIXTURE_H_

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {

// When processes are hit, drawn anew each time that a test runs. What was drawn is kept, to be said
// if the test fails.
class RandomMoments {
 public:
  RandomMoments() : RandomMoments(std::random_device()()) {}

  // Below `bound`.
  uint64_t Draw(uint64_t bound) { return random_() % bound; }
  // Lets less than `bound` milliseconds go by.
  void Pass(uint64_t bound) {
    const uint64_t delay = Draw(bound);
    Note(absl::StrCat(delay, " ms"));
    SleepMs(delay);
  }
  void Note(const std::string& what) { absl::StrAppend(&text_, " ", what); }
  const std::string& text() const { return text_; }

 private:
  explicit RandomMoments(uint64_t seed)
      : random_(seed), text_(absl::StrCat("seed ", seed, ", moments")) {}

  std::mt19937_64 random_;
  std::string text_;
};

class RestartTest : public ::testing::Test {
 protected:
  using Clock = std::chrono::steady_clock;
  static constexpr uint64_t kExamples = 4000, kEpochs = 16;
  // One process makes the bits of sync, and is done sooner.
  static inline const std::vector<std::string> kOneProcess = {"--mode", "single"};

  void SetUp() override { WriteFile(folder_ / "train.libsvm", ParityLines(kExamples)); }

  void WriteJob(const std::string& mode, const std::string& checkpoint,
                const std::string& cluster = "") {
    WriteFile(job_, absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" }\n"
                                 "model { mlp { hidden: 32 } classes: 2 }\n"
                                 "optimizer { adam {} learning_rate: 0.01 }\n"
                                 "training { mode: \"",
                                 mode, "\" epochs: ", kEpochs,
                                 " batch_size: 20 slices: 4 report_every_steps: 20 }\n"
                                 "cluster { servers: 2 workers: 2 ",
                                 cluster, " }\ncheckpoint { ", checkpoint, " }\n"));
  }
  std::vector<std::string> Command(const std::string& run,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {CONVOY_BINARY, "train", job_, "--run-dir", folder_ / run};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  std::string Model(const std::string& run) const {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }
  std::string Events(const std::string& run) const {
    return ReadFile(folder_ / (run + "/events.jsonl"));
  }
  nlohmann::json Summary(const std::string& run) const {
    return nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  // Step and loss of every line on the training.
  std::vector<std::pair<uint64_t, double>> Losses(const std::string& run) const {
    std::vector<std::pair<uint64_t, double>> losses;
    const std::string events = Events(run);
    for (const auto& line : absl::StrSplit(events, '\n', absl::SkipEmpty())) {
      const auto event = nlohmann::json::parse(std::string(line));
      if (event["kind"] == "train") losses.emplace_back(event["step"], event["loss"]);
    }
    return losses;
  }
  // False: the job has ended, or a minute is over.
  bool AwaitEvent(const std::string& run, const std::string& text) const {
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    while (Clock::now() < deadline) {
      if (Events(run).find(text) != std::string::npos) return true;
      if (std::filesystem::exists(folder_ / (run + "/summary.json"))) return false;
      SleepMs(2);
    }
    return false;
  }
  // Signals all children of this role, or all with "", that were not signalled before. Returns how
  // many.
  size_t Kill(const Program& program, const std::string& role, int signal = SIGKILL,
              size_t at_most = 100) {
    size_t killed = 0;
    for (const LaunchedChild& child : LaunchedChildren(program.pid())) {
      if (killed == at_most || (!role.empty() && child.role != role)) continue;
      if (!pids_.insert(child.pid).second) continue;  // it is dying
      kill(child.pid, signal);
      ++killed;
    }
    return killed;
  }
  // The launcher has said so many times that the job starts again.
  static void AwaitRestarts(Program& program, size_t restarts) {
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    for (size_t said = 0; said < restarts && Clock::now() < deadline;) {
      said = 0;
      const std::string output = program.Output();
      for (size_t at = 0; (at = output.find("; starting again", at)) != std::string::npos; ++at)
        ++said;
    }
  }
  // Of those that were signalled.
  bool NobodyIsLeft() const { return WaitUntilGone(pids_); }
  void ExpectSameAs(const std::string& alone, const std::string& run,
                    const ProgramResult& result) const {
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_TRUE(Model(alone) == Model(run)) << result.output;
    EXPECT_EQ(Summary(alone)["steps"], Summary(run)["steps"]);
    EXPECT_EQ(Summary(alone)["examples"], Summary(run)["examples"]);
    // What a worker had summed up and not reported is lost with it.
    if (!Summary(run).contains("workers_replaced")) {
      EXPECT_EQ(Summary(alone)["train"], Summary(run)["train"]);
    }
    EXPECT_TRUE(NobodyIsLeft());
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  std::set<pid_t> pids_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_RESTART_FIXTURE_H_
