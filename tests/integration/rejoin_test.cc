// Workers of a cluster that was started by hand are killed and frozen, and others are started in
// their places: the job goes on from where it is, without a checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/net/coordinator_client.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kExamples = 2000;
constexpr uint64_t kEpochs = 100;

class RejoinTest : public ::testing::Test {
 protected:
  RejoinTest() {
    WriteToyImages({.examples = kExamples, .side = 16}, folder_ / "toy");
    WriteToyImages({.examples = 200, .side = 16, .seed = 2}, folder_ / "new");
  }

  std::string WriteJob(const std::string& mode, uint32_t lost_after_ms) const {
    const std::string path = folder_ / "job.textproto";
    WriteFile(path, absl::StrCat(
                        "name: \"toys\" data { train: \"toy-images-idx3-ubyte\" cache_dir: \"",
                        folder_ / "cache", "\" validation { path: \"new-images-idx3-ubyte\" } }\n",
                        "model { mlp { hidden: 64 } }\n",
                        "optimizer { learning_rate: 0.01 adagrad {} }\n", "training { mode: \"",
                        mode, "\" batch_size: 40 epochs: ", kEpochs,
                        " batches_per_task: 4 }\ncluster { servers: 2 workers: 2 lost_after_ms: ",
                        lost_after_ms, " heartbeat_ms: 100 }\n"));
    return path;
  }

  // A coordinator, two servers and two workers.
  void StartCluster(const std::string& job) {
    coordinator_ = std::make_unique<Program>(
        std::vector<std::string>{CONVOY_BINARY, "coordinator", job, "--run-dir", run_});
    ASSERT_TRUE(coordinator_->WaitForOutput("waiting for")) << coordinator_->Output();
    const std::string output = coordinator_->Output();
    const size_t begin = output.find("listens on ") + 11;
    address_ = output.substr(begin, output.find_first_of(", \n", begin) - begin);
    for (int rank = 0; rank < 2; ++rank) {
      servers_.push_back(Start("server", rank));
      workers_.push_back(Start("worker", rank));
    }
  }
  std::unique_ptr<Program> Start(const std::string& role, int rank) const {
    return std::make_unique<Program>(std::vector<std::string>{
        CONVOY_BINARY, role, "--coordinator", address_, "--rank", std::to_string(rank)});
  }
  // As the launcher does; otherwise the coordinator has to miss the worker first.
  v1::ProcessLostReply::Remedy SayThatItDied(size_t rank, pid_t pid) const {
    const auto client = CoordinatorClient::Connect({.address = address_});
    EXPECT_TRUE(client.ok()) << client.status();
    const auto reply = (*client)->ProcessLost(v1::WORKER, static_cast<uint32_t>(rank),
                                              static_cast<uint64_t>(pid), "it was killed");
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->remedy() : v1::ProcessLostReply::RESTORE;
  }
  // Lines of events.jsonl of that kind.
  size_t Count(const std::string& kind) const {
    size_t count = 0;
    for (const auto line : absl::StrSplit(ReadFile(run_ + "/events.jsonl"), '\n')) {
      count += line.find(absl::StrCat("\"kind\":\"", kind, "\"")) != std::string_view::npos ? 1 : 0;
    }
    return count;
  }
  bool WaitForEvents(const std::string& kind, size_t count) {
    for (int i = 0; i < 600 && Count(kind) < count; ++i) {
      coordinator_->Output();  // so that its pipe does not become full
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return Count(kind) >= count;
  }
  void ExpectAGoodEnd() {
    const ProgramResult ended = coordinator_->Wait();
    EXPECT_EQ(ended.exit_code, 0) << ended.output;
    for (auto& worker : workers_) {
      const ProgramResult left = worker->Wait();
      EXPECT_EQ(left.exit_code, 0) << left.output;
    }
    for (auto& server : servers_) EXPECT_EQ(server->Wait().exit_code, 0);
  }
  // The model that the job makes when nothing happens.
  std::string Undisturbed(const std::string& job) const {
    const std::string run = folder_ / "undisturbed";
    const ProgramResult result = RunProgram({CONVOY_BINARY, "train", job, "--run-dir", run});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return ReadFile(run + "/model.safetensors");
  }
  nlohmann::json Summary() const { return nlohmann::json::parse(ReadFile(run_ + "/summary.json")); }

  // Workers are killed at random moments until the job ends.
  void KillWorkersAsItRuns(const std::string& mode) {
    const uint64_t seed = std::random_device()();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    StartCluster(WriteJob(mode, /*lost_after_ms=*/10'000));
    ASSERT_TRUE(WaitForEvents("train", 1)) << coordinator_->Output();
    size_t kills = 0;
    for (; kills < 6; ++kills) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
      const size_t rank = random() % 2;
      if (Count("train") >= kEpochs * 18) break;
      const pid_t pid = workers_[rank]->pid();
      workers_[rank]->Signal(SIGKILL);
      EXPECT_EQ(workers_[rank]->Wait().exit_code, 128 + SIGKILL);
      workers_[rank] = nullptr;
      ASSERT_EQ(SayThatItDied(rank, pid), v1::ProcessLostReply::REPLACE);
      workers_[rank] = Start("worker", static_cast<int>(rank));
      ASSERT_TRUE(WaitForEvents("rejoined", kills + 1))
          << workers_[rank]->Output() << coordinator_->Output();
    }
    EXPECT_GE(kills, 3u);
    ExpectAGoodEnd();
  }

  TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
  std::string address_;
  std::unique_ptr<Program> coordinator_;
  std::vector<std::unique_ptr<Program>> servers_, workers_;
};

TEST_F(RejoinTest, InSyncTheWeightsAreThoseOfTheUndisturbedRunBitForBit) {
  KillWorkersAsItRuns("sync");
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(folder_ / "job.textproto"));
  EXPECT_EQ(Summary()["examples"], kEpochs * kExamples);
  EXPECT_EQ(Count("validation"), kEpochs);
}

TEST_F(RejoinTest, InLocalSgdToo) {
  KillWorkersAsItRuns("local_sgd:4");
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(folder_ / "job.textproto"));
  EXPECT_EQ(Summary()["examples"], kEpochs * kExamples);
}

TEST_F(RejoinTest, InAsyncEveryBatchCountsOnce) {
  KillWorkersAsItRuns("async");
  EXPECT_EQ(Summary()["examples"], kEpochs * kExamples);
  EXPECT_GT(Summary()["validation"]["accuracy"].get<double>(), 0.9);
}

TEST_F(RejoinTest, InSspNobodyWaitsForTheClockOfTheDead) {
  KillWorkersAsItRuns("ssp:1");
  EXPECT_EQ(Summary()["examples"], kEpochs * kExamples);
}

// It was only slow to answer, and is told so when it goes on.
TEST_F(RejoinTest, AFrozenWorkerIsReplacedAndLeavesWhenItThaws) {
  const std::string job = WriteJob("sync", /*lost_after_ms=*/1000);
  StartCluster(job);
  ASSERT_TRUE(WaitForEvents("train", 3)) << coordinator_->Output();
  const std::unique_ptr<Program> frozen = std::move(workers_[1]);
  frozen->Signal(SIGSTOP);
  ASSERT_TRUE(WaitForEvents("lost", 1)) << coordinator_->Output();
  workers_[1] = Start("worker", 1);
  ASSERT_TRUE(WaitForEvents("rejoined", 1)) << workers_[1]->Output();
  frozen->Signal(SIGCONT);
  const ProgramResult left = frozen->Wait();
  EXPECT_EQ(left.exit_code, 1);
  EXPECT_THAT(left.output, HasSubstr("another process has taken its place"));
  ExpectAGoodEnd();
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(job));
}

// Nobody takes its place: it goes on.
TEST_F(RejoinTest, AFrozenWorkerThatThawsInTimeGoesOn) {
  const std::string job = WriteJob("sync", /*lost_after_ms=*/1000);
  StartCluster(job);
  ASSERT_TRUE(WaitForEvents("train", 3)) << coordinator_->Output();
  workers_[1]->Signal(SIGSTOP);
  ASSERT_TRUE(WaitForEvents("lost", 1)) << coordinator_->Output();
  workers_[1]->Signal(SIGCONT);
  ExpectAGoodEnd();
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(job));
}

}  // namespace
}  // namespace convoy::testing
