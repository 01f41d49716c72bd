// A job one of whose calls on files fails, whichever it is: it ends with the bits of one that was
// left alone, or says what failed, and goes on later. What is listed as a checkpoint is whole.
//
// CONVOY_TEST_SWEEP=N tries every call that such a job makes, up to N of each name spread over the
// job, instead of a few; CONVOY_TEST_CALL='fsync run/checkpoints' only those that begin like this.
#include "tests/integration/failing_disk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/math/random.h"
#include "tests/testing/hand_made_cluster.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

// 120 steps, with checkpoints of which two stay.
constexpr char kRest[] =
    "training { mode: \"sync\" epochs: 12 batch_size: 40 slices: 2 }\n"
    "cluster { servers: 2 workers: 2 }\n";
constexpr char kDense[] =
    "data { train: \"train.libsvm\" cache_dir: \"cache\" }\n"
    "model { mlp { hidden: 16 } classes: 2 }\noptimizer { adam {} learning_rate: 0.01 }\n"
    "checkpoint { every_steps: 10 keep_last: 2 }\n";
constexpr char kTableWithDeltas[] =
    "data { train: \"train.ffm\" cache_dir: \"cache\" }\n"
    "model { factorization_machine { factors: 4 } }\n"
    "optimizer { adagrad { initial_accumulator: 0.1 } learning_rate: 0.2 }\n"
    "checkpoint { every_steps: 5 keep_last: 2 deltas: 2 }\n";

struct Case {
  std::string call;
  uint64_t at = 1;
  int error = EIO;
  uint64_t pause_ms = 0;
};

std::vector<int> ErrorsOf(const std::string& call) {
  const std::string function = call.substr(0, call.find(' '));
  static const std::map<std::string, std::vector<int>> kErrors = {
      {"create", {EMFILE, ENOSPC, EROFS}},
      {"open", {EMFILE, EIO}},
      {"open-folder", {EMFILE, EIO}},
      {"opendir", {EMFILE, EIO}},
      {"fopen", {EMFILE, ENOSPC}},
      {"write", {ENOSPC, EIO}},
      {"pwrite", {ENOSPC, EIO}},
      {"fsync", {EIO, ENOSPC}},
      {"fdatasync", {EIO, ENOSPC}},
      {"ftruncate", {ENOSPC, EROFS}},
      {"rename", {EIO, ENOSPC, EROFS}},
      {"renameat2", {EIO, ENOSPC, EROFS}},
      {"mkdir", {ENOSPC, EROFS}},
      {"unlink", {EROFS, EIO}},
      {"mmap", {ENOMEM}}};
  const auto found = kErrors.find(function);
  return found == kErrors.end() ? std::vector<int>{EIO} : found->second;
}

class FailingDiskTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string lines;
    for (uint64_t i = 0; i < 400; ++i) {
      const RandomStream random(1, "line", i);
      absl::StrAppend(&lines, random.Below(0, 2), " 0:", random.Below(1, 300),
                      ":1 1:", 1000 + random.Below(2, 300), ":1\n");
    }
    WriteFile(folder_ / "train.ffm", lines);
    WriteFile(folder_ / "train.libsvm", ParityLines(400));
    WriteFile(folder_ / "job.textproto", absl::StrCat(GetParam(), kRest));
    MapDisk();
  }
  ~FailingDiskTest() override {
    if (disk_ != nullptr) munmap(disk_, sizeof(FailingDisk));
  }

  void MapDisk() {
    const int fd = open(state_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(ftruncate(fd, sizeof(FailingDisk)), 0);
    void* const mapped =
        mmap(nullptr, sizeof(FailingDisk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    ASSERT_NE(mapped, MAP_FAILED);
    disk_ = new (mapped) FailingDisk();
    std::snprintf(disk_->folder, sizeof(disk_->folder), "%s", folder_.path().c_str());
  }
  // A failing `call` of "" fails nothing and records.
  void Arm(const Case& failing) const {
    std::snprintf(disk_->call, sizeof(disk_->call), "%s", failing.call.c_str());
    disk_->at = failing.at;
    disk_->error = failing.error;
    disk_->pause_ms = failing.pause_ms;
    disk_->seen = 0;
    disk_->failed = false;
  }

  ProgramResult Convoy(std::vector<std::string> arguments, bool on_failing_disk) const {
    std::vector<std::string> command = {"env"};
    if (on_failing_disk) {
      command.push_back(absl::StrCat("LD_PRELOAD=", FAILING_DISK_LIBRARY));
      command.push_back(absl::StrCat("FAILING_DISK=", state_));
    }
    command.push_back(CONVOY_BINARY);
    command.insert(command.end(), arguments.begin(), arguments.end());
    return RunProgram(command);
  }
  std::vector<std::string> Train() const {
    return {"train", folder_ / "job.textproto", "--run-dir", run_};
  }
  std::string Model() const { return ReadFile(run_ + "/model.safetensors"); }
  void Forget() const {
    std::filesystem::remove_all(run_);
    std::filesystem::remove_all(folder_ / "cache");
  }

  // How often each call is made by a job that is left alone.
  std::map<std::string, uint64_t> Calls() {
    Arm({"", 0, 0});
    const ProgramResult result = Convoy(Train(), true);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    model_ = Model();
    EXPECT_FALSE(model_.empty());
    std::map<std::string, uint64_t> calls;
    for (const auto line : absl::StrSplit(ReadFile(state_ + ".calls"), '\n', absl::SkipEmpty()))
      ++calls[std::string(line)];
    Forget();
    return calls;
  }
  // Returns whether the call was made.
  bool Check(const Case& failing) const;
  void CheckCheckpoints() const;
  void CheckReported(const Case& failing, const ProgramResult& result) const;

  TemporaryFolder folder_;
  TemporaryFolder state_folder_;
  const std::string run_ = folder_ / "run";
  const std::string state_ = state_folder_ / "disk";
  FailingDisk* disk_ = nullptr;
  std::string model_;  // of the job that was left alone
};

void FailingDiskTest::CheckCheckpoints() const {
  const auto stored = ListCheckpoints(run_ + "/checkpoints");
  ASSERT_TRUE(stored.ok()) << stored.status();
  for (const StoredCheckpoint& checkpoint : *stored) {
    EXPECT_TRUE(VerifyCheckpoint(checkpoint.path).ok()) << VerifyCheckpoint(checkpoint.path);
  }
}

// A job that has ended well: a checkpoint that could not be saved was told of and counted.
void FailingDiskTest::CheckReported(const Case& failing, const ProgramResult& result) const {
  static const std::set<std::string> kSaving = {"create",    "pwrite", "write",     "fsync",
                                                "ftruncate", "rename", "renameat2", "mkdir"};
  const std::vector<std::string> words = absl::StrSplit(failing.call, absl::MaxSplits(' ', 1));
  const bool saves = kSaving.contains(words[0]) && words[1].starts_with("run/checkpoints/") &&
                     words[1].find(".removed") == std::string::npos;
  if (!saves) return;
  const auto summary = nlohmann::json::parse(ReadFile(run_ + "/summary.json"));
  EXPECT_EQ(summary["checkpoints_failed"], 1);
  EXPECT_GE(summary["checkpoints_saved"], 1);
  EXPECT_THAT(result.output, HasSubstr("checkpoint could not be saved"));
  EXPECT_THAT(result.output, HasSubstr(std::strerror(failing.error)));
}

bool FailingDiskTest::Check(const Case& failing) const {
  SCOPED_TRACE(
      absl::StrCat(failing.call, ", call ", failing.at, ", fails: ", std::strerror(failing.error)));
  Arm(failing);
  const ProgramResult result = Convoy(Train(), true);
  const bool failed = disk_->failed;
  SCOPED_TRACE(result.output);
  CheckCheckpoints();
  if (std::getenv("CONVOY_TEST_SWEEP") != nullptr) {
    std::printf("%s, call %lu, %s: exit code %d%s\n", failing.call.c_str(), failing.at,
                std::strerror(failing.error), result.exit_code, failed ? "" : " (not met)");
    if (std::getenv("CONVOY_TEST_CALL") != nullptr) std::printf("%s\n", result.output.c_str());
    std::fflush(stdout);
  }
  if (result.exit_code == 0) {
    EXPECT_TRUE(Model() == model_) << "other weights";
    if (failed) CheckReported(failing, result);
  } else {
    EXPECT_TRUE(failed) << "it ended although nothing failed";
    EXPECT_TRUE(result.exit_code == 1 || result.exit_code == 2) << result.exit_code;
    EXPECT_THAT(result.output, HasSubstr(std::strerror(failing.error)));
    std::vector<std::string> again = Train();
    if (std::filesystem::exists(run_ + "/job.textproto")) again.push_back("--resume");
    const ProgramResult resumed = Convoy(again, false);
    EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
    EXPECT_TRUE(Model() == model_) << "other weights after --resume";
    CheckCheckpoints();
  }
  Forget();
  return failed;
}

TEST_P(FailingDiskTest, EndsWithTheSameBitsOrSaysWhatFailed) {
  const std::map<std::string, uint64_t> calls = Calls();
  const char* const sweep = std::getenv("CONVOY_TEST_SWEEP");
  const char* const only = std::getenv("CONVOY_TEST_CALL");
  uint64_t each = 1;
  if (sweep != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(sweep, &each)) << sweep;
  }
  std::vector<Case> cases;
  for (const auto& [call, count] : calls) {
    if (only != nullptr && !call.starts_with(only)) continue;
    const uint64_t tries = std::min(each, count);
    const std::vector<int> errors = ErrorsOf(call);
    for (uint64_t i = 0; i < tries; ++i) {
      const RandomStream random(7, call, i);
      // One of each of `tries` equal parts.
      const uint64_t begin = i * count / tries, end = (i + 1) * count / tries;
      cases.push_back(
          {call, 1 + begin + random.Below(0, end - begin), errors[random.Below(1, errors.size())]});
    }
  }
  if (sweep == nullptr) {
    constexpr uint64_t kCases = 6;
    for (uint64_t i = 0; i < kCases && i < cases.size(); ++i) {
      const RandomStream random(7, "case", i);
      std::swap(cases[i], cases[i + random.Below(0, cases.size() - i)]);
    }
    cases.resize(std::min<uint64_t>(kCases, cases.size()));
  }
  uint64_t met = 0;
  for (const Case& failing : cases) {
    met += Check(failing) ? 1 : 0;
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(2 * met, cases.size()) << "most calls should be made again by the next job";
}

class SlowDiskTest : public FailingDiskTest {};

// Longer than a coordinator may be silent.
TEST_P(SlowDiskTest, ACoordinatorThatWaitsForTheDiskIsNotTakenForDead) {
  const std::string call = "fdatasync run/coordinator.journal";
  const uint64_t count = Calls()[call];
  ASSERT_GE(count, 4u);
  Arm({call, count / 2, /*error=*/0, /*pause_ms=*/12'000});
  const ProgramResult result = Convoy(Train(), true);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(disk_->failed) << "the call was not made";
  EXPECT_TRUE(Model() == model_) << "other weights";
  EXPECT_THAT(result.output, HasSubstr("the disk of the run directory is slow"));
  const auto summary = nlohmann::json::parse(ReadFile(run_ + "/summary.json"));
  for (const char* loss : {"coordinators_replaced", "restarts", "workers_replaced"})
    EXPECT_FALSE(summary.contains(loss)) << loss;
  CheckCheckpoints();
}

// The warning is news for whoever waits for some.
TEST_P(SlowDiskTest, WhoeverWaitsForAnAnswerGetsOne) {
  WriteFile(folder_ / "job.textproto",
            absl::StrCat(GetParam(),
                         "training { mode: \"sync\" epochs: 100000 batch_size: 40 slices: 2 }\n"
                         "cluster { servers: 2 workers: 2 lost_after_ms: 1200 }\n"));
  Arm({"none", 1, 0});
  HandMadeCluster cluster({CONVOY_BINARY,
                           folder_ / "job.textproto",
                           run_,
                           "",
                           {"env", absl::StrCat("LD_PRELOAD=", FAILING_DISK_LIBRARY),
                            absl::StrCat("FAILING_DISK=", state_)}});
  ASSERT_TRUE(cluster.StartServers()) << cluster.coordinator().Output();
  std::vector<std::unique_ptr<Program>> workers;
  for (int rank = 0; rank < 2; ++rank) workers.push_back(cluster.StartWorker(rank));
  ASSERT_TRUE(cluster.WaitForEvents("train", 1)) << cluster.coordinator().Output();
  Arm({"fdatasync run/coordinator.journal", 1, /*error=*/0, /*pause_ms=*/3000});
  const ProgramResult stop = Convoy({"control", run_, "stop"}, false);
  EXPECT_EQ(stop.exit_code, 0) << stop.output;
  const ProgramResult stopped = cluster.coordinator().Wait();
  EXPECT_EQ(stopped.exit_code, 128 + SIGTERM) << stopped.output;
  for (const auto& worker : workers) EXPECT_EQ(worker->Wait().exit_code, 0);
  EXPECT_TRUE(disk_->failed) << "the call was not made";
  EXPECT_EQ(cluster.Count("warning"), 1u);
  EXPECT_EQ(cluster.Count("lost"), 0u);
}

INSTANTIATE_TEST_SUITE_P(Dense, SlowDiskTest, ::testing::Values(kDense));

INSTANTIATE_TEST_SUITE_P(Jobs, FailingDiskTest, ::testing::Values(kDense, kTableWithDeltas),
                         [](const auto& of) { return of.index == 0 ? "Dense" : "Deltas"; });

}  // namespace
}  // namespace convoy::testing
