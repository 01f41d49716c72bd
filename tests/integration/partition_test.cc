// Two hosts, which are network namespaces of this one: the coordinator, the servers and a worker on
// the one, the other worker on the other, and the link between them goes down and comes up again.
// Skipped where namespaces can't be made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/hand_made_cluster.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kExamples = 2000, kEpochs = 100;

// Hosts "here" and "there" with a link between them.
class TwoHosts {
 public:
  TwoHosts()
      : here_(absl::StrCat("convoy-a-", getpid())), there_(absl::StrCat("convoy-b-", getpid())) {
    for (const std::string& host : {here_, there_}) Run({"netns", "add", host});
    Run({"link", "add", "convoy0", "netns", here_, "type", "veth", "peer", "name", "convoy1",
         "netns", there_});
    SetUp(here_, "convoy0", "10.77.0.1/24");
    SetUp(there_, "convoy1", "10.77.0.2/24");
  }
  ~TwoHosts() {
    for (const std::string& host : {here_, there_}) RunProgram({"ip", "netns", "delete", host});
  }

  const std::string& trouble() const { return trouble_; }  // "": they are there
  std::vector<std::string> here() const { return {"ip", "netns", "exec", here_}; }
  std::vector<std::string> there() const { return {"ip", "netns", "exec", there_}; }
  void SetLink(bool up) { Run({"-n", there_, "link", "set", "convoy1", up ? "up" : "down"}); }

 private:
  void SetUp(const std::string& host, const std::string& device, const std::string& address) {
    Run({"-n", host, "link", "set", "lo", "up"});
    Run({"-n", host, "address", "add", address, "dev", device});
    Run({"-n", host, "link", "set", device, "up"});
  }
  void Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ip");
    const ProgramResult result = RunProgram(arguments);
    if (result.exit_code != 0 && trouble_.empty()) trouble_ = result.output;
  }

  const std::string here_, there_;
  std::string trouble_;
};

class PartitionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!hosts_.trouble().empty()) {
      GTEST_SKIP() << "no network namespaces here: " << hosts_.trouble();
    }
    WriteToyImages({.examples = kExamples, .side = 16}, folder_ / "toy");
    WriteFile(job_,
              absl::StrCat("name: \"toys\" data { train: \"toy-images-idx3-ubyte\" cache_dir: \"",
                           folder_ / "cache", "\" validation { fraction: 0.1 } }\n",
                           "model { mlp { hidden: 64 } }\noptimizer { learning_rate: 0.05 }\n",
                           "training { batch_size: 40 epochs: ", kEpochs,
                           " }\ncluster { servers: 2 workers: 2 lost_after_ms: 1500 ",
                           "heartbeat_ms: 100 }\n"));
    cluster_.emplace(
        HandMadeCluster::Options{CONVOY_BINARY, job_, run_, "10.77.0.1", hosts_.here()});
    ASSERT_TRUE(cluster_->StartServers()) << cluster_->coordinator().Output();
    workers_.push_back(cluster_->StartWorker(0));
    workers_.push_back(cluster_->StartWorker(1, hosts_.there()));
    ASSERT_TRUE(cluster_->WaitForEvents("train", 3)) << workers_[1]->Output();
  }
  // Of one process, which makes the bits of sync and is done sooner.
  void ExpectTheBitsOfTheUndisturbedRun() {
    cluster_->ExpectAGoodEnd(workers_);
    const std::string alone = folder_ / "undisturbed";
    const ProgramResult result =
        RunProgram({CONVOY_BINARY, "train", job_, "--run-dir", alone, "--mode", "single"});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_TRUE(ReadFile(run_ + "/model.safetensors") == ReadFile(alone + "/model.safetensors"));
  }

  TwoHosts hosts_;
  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
  std::optional<HandMadeCluster> cluster_;
  std::vector<std::unique_ptr<Program>> workers_;
};

TEST_F(PartitionTest, ALinkThatComesAndGoesChangesNoBit) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 4; ++i) {
    hosts_.SetLink(false);
    SleepMs(random() % 800);
    hosts_.SetLink(true);
    SleepMs(random() % 500);
  }
  ExpectTheBitsOfTheUndisturbedRun();
}

TEST_F(PartitionTest, AWorkerThatWasCutOffForLongGoesOnIfNobodyTookItsPlace) {
  hosts_.SetLink(false);
  ASSERT_TRUE(cluster_->WaitForEvents("lost", 1));
  hosts_.SetLink(true);
  ExpectTheBitsOfTheUndisturbedRun();
}

TEST_F(PartitionTest, OneWhosePlaceIsTakenLeavesWhenTheLinkIsBack) {
  hosts_.SetLink(false);
  ASSERT_TRUE(cluster_->WaitForEvents("lost", 1));
  const std::unique_ptr<Program> cut_off = std::move(workers_[1]);
  workers_[1] = cluster_->StartWorker(1);
  ASSERT_TRUE(cluster_->WaitForEvents("rejoined", 1)) << workers_[1]->Output();
  hosts_.SetLink(true);
  const ProgramResult left = cut_off->Wait();
  EXPECT_EQ(left.exit_code, 1);
  EXPECT_THAT(left.output, HasSubstr("another process has taken its place"));
  ExpectTheBitsOfTheUndisturbedRun();
}

}  // namespace
}  // namespace convoy::testing
