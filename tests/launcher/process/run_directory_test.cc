#include "launcher/process/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::unique_ptr<RunDirectory> MustCreate(const std::string& path) {
  auto directory = RunDirectory::Create(path);
  EXPECT_TRUE(directory.ok()) << directory.status();
  return *std::move(directory);
}

std::string RefusalOf(const std::string& path) {
  const auto directory = RunDirectory::Create(path);
  EXPECT_EQ(directory.status().code(), absl::StatusCode::kFailedPrecondition);
  return std::string(directory.status().message());
}

TEST(RunDirectoryTest, IsMadeWithTheFoldersAboveIt) {
  ScratchFolder folder;
  const auto run = MustCreate(folder.File("runs/a/"));
  EXPECT_EQ(run->path(), folder.File("runs/a"));
  EXPECT_TRUE(std::filesystem::is_directory(folder.File("runs/a/logs")));
  EXPECT_EQ(run->LogPath("worker", 1), folder.File("runs/a/logs/worker-1.log"));
}

TEST(RunDirectoryTest, AnEmptyFolderIsTaken) {
  ScratchFolder folder;
  EXPECT_EQ(MustCreate(folder.path())->path(), folder.path());
}

TEST(RunDirectoryTest, AFolderWithOtherFilesIsRefusedAndLeftAlone) {
  ScratchFolder folder;
  folder.Write("thesis.tex", "");
  EXPECT_THAT(RefusalOf(folder.path()),
              AllOf(HasSubstr(folder.path()), HasSubstr("is not empty (thesis.tex)"),
                    HasSubstr("--run-dir")));
  EXPECT_EQ(folder.Entries(), 1);
}

TEST(RunDirectoryTest, WhatAJobLeavesThatWasKilledBeforeItWasARunIsNoObstacle) {
  ScratchFolder folder;
  MustCreate(folder.path()).reset();  // logs/, events.jsonl and lock
  folder.Write("job.textproto.tmp-123-0", "name:");
  MustCreate(folder.path()).reset();
  folder.Write("logs/server-0.log", "");
  EXPECT_THAT(RefusalOf(folder.path()), HasSubstr("is not empty (logs)"));
}

TEST(RunDirectoryTest, WhatAKilledJobWasWritingIsRemovedWhenItGoesOn) {
  ScratchFolder folder;
  ASSERT_TRUE(MustCreate(folder.path())->WriteJob("seed: 1\n").ok());
  const pid_t killed = fork();
  if (killed == 0) _exit(0);
  ASSERT_EQ(waitpid(killed, nullptr, 0), killed);
  const std::string left = "model.safetensors.tmp-" + std::to_string(killed) + "-0";
  folder.Write(left, "half");
  {
    const auto owner = RunDirectory::Open(folder.path());
    ASSERT_TRUE(owner.ok()) << owner.status();
    EXPECT_FALSE(std::filesystem::exists(folder.File(left)));
    // One who does not get the lock removes nothing.
    folder.Write(left, "another half");
    EXPECT_FALSE(RunDirectory::Open(folder.path()).ok());
    EXPECT_TRUE(std::filesystem::exists(folder.File(left)));
  }
  EXPECT_TRUE(RunDirectory::Open(folder.path()).ok());
  EXPECT_FALSE(std::filesystem::exists(folder.File(left)));
  EXPECT_EQ(folder.Contents("job.textproto"), "seed: 1\n");
}

TEST(RunDirectoryTest, AnEarlierRunIsNotOverwritten) {
  ScratchFolder folder;
  ASSERT_TRUE(MustCreate(folder.path())->WriteJob("seed: 1\n").ok());
  EXPECT_THAT(RefusalOf(folder.path()), HasSubstr("holds an earlier run"));
  EXPECT_EQ(folder.Contents("job.textproto"), "seed: 1\n");
}

TEST(RunDirectoryTest, ASecondJobIsToldWhoUsesTheFolder) {
  ScratchFolder folder;
  const auto first = MustCreate(folder.path());
  EXPECT_THAT(RefusalOf(folder.path()),
              HasSubstr("is in use by process " + std::to_string(::getpid())));
}

TEST(RunDirectoryTest, ALockWithoutALivingOwnerIsNoObstacle) {
  ScratchFolder folder;
  folder.Write("lock", "1\n");
  EXPECT_TRUE(RunDirectory::Create(folder.path()).ok());
}

TEST(RunDirectoryTest, AFileIsRefused) {
  ScratchFolder folder;
  EXPECT_FALSE(RunDirectory::Create(folder.Write("file", "")).ok());
  EXPECT_FALSE(RunDirectory::Create(folder.File("file/below")).ok());
}

TEST(RunDirectoryTest, EventsAreAppendedLineByLine) {
  ScratchFolder folder;
  const auto run = MustCreate(folder.path());
  ASSERT_TRUE(run->AppendEvent(R"({"step":1})").ok());
  EXPECT_EQ(folder.Contents("events.jsonl"), "{\"step\":1}\n");
  ASSERT_TRUE(run->AppendEvent(R"({"step":2})").ok());
  EXPECT_EQ(folder.Contents("events.jsonl"), "{\"step\":1}\n{\"step\":2}\n");
  EXPECT_FALSE(run->AppendEvent("{\n}").ok());
}

// The worked example of docs/run_directory.md.
TEST(RunDirectoryTest, ClusterJsonIsAsDocumented) {
  ScratchFolder folder;
  const auto run = MustCreate(folder.path());
  ASSERT_TRUE(run->WriteCluster("fashion_mnist",
                                {{"coordinator", 0, 4101, "127.0.0.1:40001",
                                  RunDirectory::LogName("coordinator", 0)},
                                 {"worker", 0, 4103, "", RunDirectory::LogName("worker", 0)}})
                  .ok());
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  EXPECT_EQ(ProgramOfRun(folder.path()), program);
  EXPECT_EQ(folder.Contents("cluster.json"), R"({
  "job": "fashion_mnist",
  "program": ")" + program + R"(",
  "processes": [
    {
      "role": "coordinator",
      "rank": 0,
      "pid": 4101,
      "address": "127.0.0.1:40001",
      "log": "logs/coordinator-0.log"
    },
    {
      "role": "worker",
      "rank": 0,
      "pid": 4103,
      "log": "logs/worker-0.log"
    }
  ]
}
)");
}

TEST(RunDirectoryTest, TheProgramOfARunMayBeUnknown) {
  ScratchFolder folder;
  EXPECT_EQ(ProgramOfRun(folder.path()), "");
  for (const char* cluster : {"", "[]", "{}", R"({"program": 3})"}) {
    std::ofstream(folder.File("cluster.json")) << cluster;
    EXPECT_EQ(ProgramOfRun(folder.path()), "") << cluster;
  }
}

TEST(RunDirectoryTest, TheSummaryIsReplacedAsAWhole) {
  ScratchFolder folder;
  const auto run = MustCreate(folder.path());
  ASSERT_TRUE(run->WriteSummary("{\"steps\": 1}").ok());
  ASSERT_TRUE(run->WriteSummary("{}").ok());
  EXPECT_EQ(folder.Contents("summary.json"), "{}\n");
}

TEST(RunDirectoryTest, TheDefaultNameHasJobAndTimeAndANumberIfTaken) {
  ScratchFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const auto first = RunDirectory::CreateDefault("../my job", now);
  const auto second = RunDirectory::CreateDefault("../my job", now);
  std::filesystem::current_path(before);
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_THAT((*first)->path(), MatchesRegex("runs/_._my_job-[0-9]{8}-[0-9]{6}"));
  EXPECT_EQ((*second)->path(), (*first)->path() + "-2");
}

}  // namespace
}  // namespace convoy
