// Workers of a cluster that was started by hand are killed and frozen, and others are started in
// their places: the job goes on from where it is, without a checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/net/coordinator_client.h"
#include "common/net/exchange.h"
#include "common/net/stream_client.h"
#include "tests/testing/hand_made_cluster.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kExamples = 2000;
constexpr uint64_t kEpochs = 120;

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
                        mode, "\" batch_size: 40 epochs: ", epochs_,
                        " batches_per_task: 4 }\ncluster { servers: 2 workers: 2 lost_after_ms: ",
                        lost_after_ms, " heartbeat_ms: 100 }\n"));
    return path;
  }

  // A coordinator, two servers and two workers.
  void StartCluster(const std::string& job) {
    cluster_.emplace(HandMadeCluster::Options{CONVOY_BINARY, job, run_, ""});
    ASSERT_TRUE(cluster_->StartServers()) << cluster_->coordinator().Output();
    for (int rank = 0; rank < 2; ++rank) workers_.push_back(cluster_->StartWorker(rank));
  }
  // As the launcher does; otherwise the coordinator has to miss the worker first.
  v1::ProcessLostReply::Remedy SayThatItDied(size_t rank, pid_t pid) const {
    const auto client = CoordinatorClient::Connect({.address = cluster_->address()});
    EXPECT_TRUE(client.ok()) << client.status();
    const auto reply = (*client)->ProcessLost(v1::WORKER, static_cast<uint32_t>(rank),
                                              static_cast<uint64_t>(pid), "it was killed");
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->remedy() : v1::ProcessLostReply::RESTORE;
  }
  // What server 0 answers to a worker on a new stream of this session.
  absl::StatusCode AnswerTo(uint32_t worker, uint64_t session) const {
    const auto client = CoordinatorClient::Connect({.address = cluster_->address()});
    EXPECT_TRUE(client.ok()) << client.status();
    const auto progress = (*client)->GetProgress(/*events_seen=*/0, /*seen=*/0);
    EXPECT_TRUE(progress.ok()) << progress.status();
    ExchangeRequest request;
    request.job_id = progress->job_id();
    request.generation = progress->generation();
    request.request_id = 1;
    request.worker = worker;
    request.session = session;
    request.pull_version = kNewestVersion;
    request.pull_applied = true;
    StreamClient stream("/convoy.v1.ParameterServer/Exchange");
    stream.Open(0, progress->processes(0).address());
    stream.Send(0, Encode(request));
    for (StreamClient::Event event; stream.Poll(absl::Now() + absl::Seconds(10), &event);) {
      if (event.kind != StreamClient::Event::Kind::kMessage) continue;
      const absl::StatusOr<ExchangeReply> reply = DecodeReply(event.message);
      return reply.ok() ? reply->code : reply.status().code();
    }
    ADD_FAILURE() << "no answer";
    return absl::StatusCode::kUnknown;
  }
  // The model that the job makes when nothing happens. `mode`: as sync makes the bits of a job of
  // one process, which is done sooner, that stands for it.
  std::string Undisturbed(const std::string& job, const std::string& mode = "single") const {
    const std::string run = folder_ / "undisturbed";
    const ProgramResult result =
        RunProgram({CONVOY_BINARY, "train", job, "--run-dir", run, "--mode", mode});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return ReadFile(run + "/model.safetensors");
  }
  // Of all whole lines of events.jsonl on the training.
  static std::vector<uint64_t> ReportedSteps(const std::string& run) {
    std::vector<uint64_t> steps;
    const std::string events = ReadFile(run + "/events.jsonl");
    for (const auto& line : absl::StrSplit(events, '\n', absl::SkipEmpty())) {
      const auto event = nlohmann::json::parse(std::string(line), nullptr, false);
      if (!event.is_discarded() && event["kind"] == "train") steps.push_back(event["step"]);
    }
    return steps;
  }
  nlohmann::json Summary() const { return nlohmann::json::parse(ReadFile(run_ + "/summary.json")); }

  // Workers are killed at random moments until the job ends.
  void KillWorkersAsItRuns(const std::string& mode) {
    const uint64_t seed = std::random_device()();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    StartCluster(WriteJob(mode, /*lost_after_ms=*/10'000));
    ASSERT_TRUE(cluster_->WaitForEvents("train", 1)) << cluster_->coordinator().Output();
    size_t kills = 0;
    for (; kills < 6; ++kills) {
      SleepMs(random() % 300);
      const size_t rank = random() % 2;
      if (cluster_->Epoch() > 0.6 * kEpochs) break;  // so that none comes after the end
      const pid_t pid = workers_[rank]->pid();
      workers_[rank]->Signal(SIGKILL);
      EXPECT_EQ(workers_[rank]->Wait().exit_code, 128 + SIGKILL);
      workers_[rank] = nullptr;
      ASSERT_EQ(SayThatItDied(rank, pid), v1::ProcessLostReply::REPLACE);
      workers_[rank] = cluster_->StartWorker(static_cast<int>(rank));
      ASSERT_TRUE(cluster_->WaitForEvents("rejoined", kills + 1))
          << workers_[rank]->Output() << cluster_->coordinator().Output();
    }
    EXPECT_GE(kills, 3u);
    cluster_->ExpectAGoodEnd(workers_);
  }

  TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
  uint64_t epochs_ = kEpochs;
  std::optional<HandMadeCluster> cluster_;
  std::vector<std::unique_ptr<Program>> workers_;
};

TEST_F(RejoinTest, InSyncTheWeightsAreThoseOfTheUndisturbedRunBitForBit) {
  KillWorkersAsItRuns("sync");
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(folder_ / "job.textproto"));
  EXPECT_EQ(Summary()["examples"], kEpochs * kExamples);
  EXPECT_EQ(cluster_->Count("validation"), kEpochs);
}

TEST_F(RejoinTest, InLocalSgdToo) {
  KillWorkersAsItRuns("local_sgd:4");
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"),
            Undisturbed(folder_ / "job.textproto", "local_sgd:4"));
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
  epochs_ = 60;
  const std::string job = WriteJob("sync", /*lost_after_ms=*/1000);
  StartCluster(job);
  ASSERT_TRUE(cluster_->WaitForEvents("train", 3)) << cluster_->coordinator().Output();
  const std::unique_ptr<Program> frozen = std::move(workers_[1]);
  frozen->Signal(SIGSTOP);
  ASSERT_TRUE(cluster_->WaitForEvents("lost", 1)) << cluster_->coordinator().Output();
  workers_[1] = cluster_->StartWorker(1);
  ASSERT_TRUE(cluster_->WaitForEvents("rejoined", 1)) << workers_[1]->Output();
  // The servers know the newcomer, the fifth process, and nobody before it, however often he comes.
  EXPECT_EQ(AnswerTo(1, (uint64_t{4} << 32) + 1000), absl::StatusCode::kAborted);
  frozen->Signal(SIGCONT);
  const ProgramResult left = frozen->Wait();
  EXPECT_EQ(left.exit_code, 1);
  EXPECT_THAT(left.output, HasSubstr("another process has taken its place"));
  cluster_->ExpectAGoodEnd(workers_);
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(job));
}

// Nobody takes its place: it goes on.
TEST_F(RejoinTest, AFrozenWorkerThatThawsInTimeGoesOn) {
  epochs_ = 60;
  const std::string job = WriteJob("sync", /*lost_after_ms=*/1000);
  StartCluster(job);
  ASSERT_TRUE(cluster_->WaitForEvents("train", 3)) << cluster_->coordinator().Output();
  workers_[1]->Signal(SIGSTOP);
  ASSERT_TRUE(cluster_->WaitForEvents("lost", 1)) << cluster_->coordinator().Output();
  workers_[1]->Signal(SIGCONT);
  cluster_->ExpectAGoodEnd(workers_);
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(job));
}

// What it has missed meanwhile it reads first, before it misses anybody.
TEST_F(RejoinTest, ACoordinatorThatStoodStillForLongerThanTheOthersMayLosesNobody) {
  const std::string job = WriteJob("sync", /*lost_after_ms=*/500);
  StartCluster(job);
  ASSERT_TRUE(cluster_->WaitForEvents("train", 3)) << cluster_->coordinator().Output();
  cluster_->coordinator().Signal(SIGSTOP);
  SleepMs(1500);
  cluster_->coordinator().Signal(SIGCONT);
  cluster_->ExpectAGoodEnd(workers_);
  EXPECT_EQ(cluster_->Count("lost"), 0u);
}

TEST_F(RejoinTest, AnotherCoordinatorGoesOnFromTheJournalOfTheOneThatDied) {
  const std::string job = WriteJob("sync", /*lost_after_ms=*/1000);
  StartCluster(job);
  for (size_t kills = 0; kills < 4; ++kills) {
    ASSERT_TRUE(cluster_->WaitForEvents("train", 3 * (kills + 1)))
        << cluster_->coordinator().Output();
    ASSERT_TRUE(cluster_->ReplaceCoordinator()) << cluster_->coordinator().Output();
    ASSERT_TRUE(cluster_->WaitForEvents("recovered", kills + 1))
        << cluster_->coordinator().Output();
  }
  cluster_->ExpectAGoodEnd(workers_);
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), Undisturbed(job));
  EXPECT_EQ(Summary()["coordinators_replaced"], 4);
  EXPECT_EQ(cluster_->Count("lost"), 0u);
  EXPECT_FALSE(std::filesystem::exists(run_ + "/coordinator.journal"));
  EXPECT_EQ(ReportedSteps(run_), ReportedSteps(folder_ / "undisturbed")) << "each once, none lost";
}

TEST_F(RejoinTest, ASecondCoordinatorIsRefusedWhileTheFirstLives) {
  epochs_ = 60;
  const std::string job = WriteJob("sync", /*lost_after_ms=*/1000);
  StartCluster(job);
  ASSERT_TRUE(cluster_->WaitForEvents("train", 1)) << cluster_->coordinator().Output();
  const ProgramResult second =
      RunProgram({CONVOY_BINARY, "coordinator", job, "--run-dir", run_, "--recover"});
  EXPECT_EQ(second.exit_code, 2) << second.output;
  EXPECT_THAT(second.output, HasSubstr("is in use by process "));
  cluster_->ExpectAGoodEnd(workers_);
  // And when there is nothing to go on with.
  const ProgramResult late =
      RunProgram({CONVOY_BINARY, "coordinator", job, "--run-dir", run_, "--recover"});
  EXPECT_NE(late.exit_code, 0);
  EXPECT_THAT(late.output, HasSubstr("coordinator.journal"));
}

// As when a terminal is held with Ctrl-S: nobody reads the pipe here, and it is soon full.
TEST_F(RejoinTest, AScreenThatStandsStillHoldsUpNothing) {
  const std::string job = WriteJob("sync", /*lost_after_ms=*/500);
  StartCluster(job);
  EXPECT_TRUE(cluster_->WaitForEvents("validation", kEpochs));
  EXPECT_GT(ReadFile(run_ + "/events.jsonl").size(), 2u * 65536);
  cluster_->ExpectAGoodEnd(workers_);
  EXPECT_EQ(cluster_->Count("lost"), 0u);
}

}  // namespace
}  // namespace convoy::testing
