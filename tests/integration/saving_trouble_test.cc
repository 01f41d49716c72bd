// Checkpoints that can't be saved: the training goes on, says so, and saves again when it can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "tests/testing/await_epoch.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

// A mount that ends with its owner.
class Mounted {
 public:
  // Empty and of so many bytes.
  static std::optional<Mounted> Disk(const std::string& path, uint64_t bytes) {
    std::filesystem::create_directories(path);
    const std::string options = absl::StrCat("size=", bytes);
    if (mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) != 0) return std::nullopt;
    return Mounted(path);
  }
  // What is there, but nothing can be written.
  static std::optional<Mounted> ReadOnly(const std::string& path) {
    if (mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) return std::nullopt;
    Mounted mounted(path);
    if (mount(nullptr, path.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return std::nullopt;
    }
    return mounted;
  }
  Mounted(Mounted&& other) : path_(std::exchange(other.path_, "")) {}
  ~Mounted() { End(); }
  void End() {
    if (!path_.empty()) umount2(std::exchange(path_, "").c_str(), MNT_DETACH);
  }

 private:
  explicit Mounted(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

class SavingTroubleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string examples;
    for (int i = 0; i < 600; ++i) absl::StrAppend(&examples, i % 2, " ", 1 + i % 7, ":1 9:0.5\n");
    WriteFile(folder_ / "train.libsvm", examples);
    // A checkpoint of some hundred kB.
    WriteFile(folder_ / "job.textproto",
              "data { train: \"train.libsvm\" cache_dir: \"cache\" }\n"
              "model { mlp { hidden: 2000 } classes: 2 }\noptimizer { adam {} }\n"
              "training { epochs: 100000 batch_size: 40 }\ncluster { servers: 2 workers: 2 }\n");
  }
  std::vector<std::string> Train(const std::string& mode) const {
    return {CONVOY_BINARY, "train", folder_ / "job.textproto", "--mode", mode, "--run-dir", run_};
  }
  ProgramResult Control(const std::string& request) const {
    return RunProgram({CONVOY_BINARY, "control", run_, request});
  }
  std::vector<StoredCheckpoint> Checkpoints() const {
    auto stored = ListCheckpoints(run_ + "/checkpoints");
    EXPECT_TRUE(stored.ok()) << stored.status();
    return stored.ok() ? *std::move(stored) : std::vector<StoredCheckpoint>();
  }
  // Saves, fails to save while `trouble`, says so with `cause`, and saves again.
  template <typename Begin, typename End>
  void Check(const std::string& mode, const Begin& begin, const End& end, const char* cause) {
    Program program(Train(mode));
    ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
    const ProgramResult first = Control("checkpoint");
    ASSERT_EQ(first.exit_code, 0) << first.output;
    begin();
    if (HasFatalFailure() || IsSkipped()) return;
    const ProgramResult failed = Control("checkpoint");
    EXPECT_EQ(failed.exit_code, 1) << failed.output;
    EXPECT_THAT(failed.output, HasSubstr("the checkpoint could not be saved"));
    EXPECT_THAT(failed.output, HasSubstr(cause));
    ASSERT_EQ(Checkpoints().size(), 1u);
    EXPECT_TRUE(VerifyCheckpoint(Checkpoints()[0].path).ok());
    EXPECT_TRUE(program.WaitForOutput("checkpoint could not be saved"));
    end();
    const ProgramResult later = Control("checkpoint");
    EXPECT_EQ(later.exit_code, 0) << later.output;
    const ProgramResult stopped = Control("stop");
    EXPECT_EQ(stopped.exit_code, 0) << stopped.output;
    EXPECT_EQ(program.Wait().exit_code, 128 + SIGTERM);
    const auto summary = nlohmann::json::parse(ReadFile(run_ + "/summary.json"));
    EXPECT_EQ(summary["checkpoints_failed"], 1);
    EXPECT_GE(summary["checkpoints_saved"], 2);
    EXPECT_THAT(ReadFile(run_ + "/events.jsonl"), HasSubstr("\"kind\":\"checkpoint_failed\""));
    for (const StoredCheckpoint& checkpoint : Checkpoints()) {
      EXPECT_TRUE(VerifyCheckpoint(checkpoint.path).ok()) << checkpoint.path;
    }
    const auto incomplete = ListIncomplete(run_ + "/checkpoints");
    EXPECT_TRUE(incomplete.ok() && incomplete->empty());
  }

  TemporaryFolder folder_;
  std::string run_ = folder_ / "run";
};

TEST_F(SavingTroubleTest, OnAFullDiskTheTrainingGoesOnAndSavesAgainWhenThereIsRoom) {
  for (const char* mode : {"sync", "async", "single"}) {
    SCOPED_TRACE(mode);
    const std::string disk = folder_ / absl::StrCat("disk-", mode);
    auto mounted = Mounted::Disk(disk, 8 << 20);
    if (!mounted) GTEST_SKIP() << "no small disk can be mounted here: " << std::strerror(errno);
    run_ = disk + "/run";
    const auto fill = [&] {
      struct statvfs state;
      ASSERT_EQ(statvfs(disk.c_str(), &state), 0);
      const uint64_t free = state.f_bavail * state.f_bsize;
      WriteFile(disk + "/filler", std::string(free - (96 << 10), 'x'));  // room for events
    };
    Check(
        mode, fill, [&] { std::filesystem::remove(disk + "/filler"); }, "No space left on device");
  }
}

TEST_F(SavingTroubleTest, InAReadOnlyFolderLikewise) {
  std::optional<Mounted> mounted;
  Check(
      "sync",
      [&] {
        mounted.reset();
        auto made = Mounted::ReadOnly(run_ + "/checkpoints");
        if (!made) GTEST_SKIP() << "nothing can be mounted here: " << std::strerror(errno);
        mounted.emplace(*std::move(made));
      },
      [&] { mounted->End(); }, "Read-only file system");
}

TEST_F(SavingTroubleTest, AnOldCheckpointThatCanNotBeRemovedDoesNotFailTheNewOne) {
  auto command = Train("sync");
  command.insert(command.end(), {"--set", "checkpoint.keep_last=1"});
  Program program(command);
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  ASSERT_EQ(Control("checkpoint").exit_code, 0);
  ASSERT_EQ(Checkpoints().size(), 1u);
  auto mounted = Mounted::ReadOnly(Checkpoints()[0].path);
  if (!mounted) GTEST_SKIP() << "nothing can be mounted here: " << std::strerror(errno);
  const ProgramResult later = Control("checkpoint");
  EXPECT_EQ(later.exit_code, 0) << later.output;
  EXPECT_EQ(Checkpoints().size(), 2u);
  EXPECT_EQ(Control("stop").exit_code, 0);
  EXPECT_EQ(program.Wait().exit_code, 128 + SIGTERM);
  mounted->End();
  EXPECT_EQ(nlohmann::json::parse(ReadFile(run_ + "/summary.json"))["checkpoints_failed"], 0);
}

TEST_F(SavingTroubleTest, PruneLeavesARunAloneThatIsUnderWay) {
  Program program(Train("sync"));
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  EXPECT_EQ(Control("checkpoint").exit_code, 0);
  const ProgramResult refused =
      RunProgram({CONVOY_BINARY, "checkpoint", "prune", run_, "--keep-last", "1"});
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr(absl::StrCat("is under way (process ", program.pid())));
  EXPECT_EQ(
      RunProgram({CONVOY_BINARY, "checkpoint", "prune", run_, "--keep-last", "1", "--dry-run"})
          .exit_code,
      0);
  const ProgramResult second = RunProgram(Train("sync"));
  EXPECT_EQ(second.exit_code, 2) << second.output;
  EXPECT_THAT(second.output, HasSubstr(absl::StrCat("in use by process ", program.pid())));
  EXPECT_EQ(Control("stop").exit_code, 0);
  EXPECT_EQ(program.Wait().exit_code, 128 + SIGTERM);
  EXPECT_EQ(RunProgram({CONVOY_BINARY, "checkpoint", "prune", run_, "--keep-last", "1"}).exit_code,
            0);
  EXPECT_EQ(Checkpoints().size(), 1u);
}

}  // namespace
}  // namespace convoy::testing
