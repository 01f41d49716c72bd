// What `--resume` says of a folder, and which changes of a job it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/resume_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using ResumeRefusalTest = ResumeTest;

TEST_F(ResumeRefusalTest, AJobThatDiffersIsRefusedWithTheDifference) {
  WriteJob(kDense, "sync");
  ASSERT_EQ(RunProgram(Command("run", {"--set", "training.max_steps=100"})).exit_code, 0);
  const ProgramResult refused = RunProgram(Command("run", {"--resume", "--learning-rate", "0.5"}));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output, HasSubstr("optimizer.learning_rate: 0.01 -> 0.5"));
  EXPECT_THAT(refused.output, HasSubstr("--allow-changes"));
  const ProgramResult allowed =
      RunProgram(Command("run", {"--resume", "--learning-rate", "0.5", "--allow-changes"}));
  EXPECT_EQ(allowed.exit_code, 0) << allowed.output;
}

// Both have only defaults, which are the same but for the rule that they belong to.
TEST_F(ResumeRefusalTest, AnotherOptimizerOrScheduleIsADifference) {
  WriteJob(kDense, "sync");
  ASSERT_EQ(RunProgram(Command("run", {"--set", "training.max_steps=100"})).exit_code, 0);
  const ProgramResult optimizer =
      RunProgram(Command("run", {"--resume", "--set", "optimizer.adagrad={}"}));
  EXPECT_EQ(optimizer.exit_code, 2);
  EXPECT_THAT(optimizer.output, HasSubstr("\n  modified: optimizer.algorithm: adam -> adagrad\n"));
  const ProgramResult schedule =
      RunProgram(Command("run", {"--resume", "--set", "optimizer.schedule.cosine={}"}));
  EXPECT_EQ(schedule.exit_code, 2);
  EXPECT_THAT(schedule.output, HasSubstr("optimizer.schedule.kind: constant -> cosine\n"));
}

TEST_F(ResumeRefusalTest, OfManyDifferencesTheFirstAreShown) {
  WriteJob(kDense, "sync");
  ASSERT_EQ(RunProgram(Command("run", {"--set", "training.max_steps=100"})).exit_code, 0);
  std::vector<std::string> more = {"--resume"};
  for (int i = 0; i < 12; ++i) {
    more.insert(more.end(), {"--set", absl::StrCat("optimizer.override+={match: \"layer", i,
                                                   std::string(300, 'x'), "\" l2: 0.5}")});
  }
  const ProgramResult refused = RunProgram(Command("run", more));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output, HasSubstr("added: optimizer.override[7]: "));
  EXPECT_THAT(refused.output, Not(HasSubstr("optimizer.override[8]")));
  EXPECT_THAT(refused.output, HasSubstr("xx ...\n  and 4 more\n"));
  EXPECT_LT(refused.output.size(), 2000u);
}

TEST_F(ResumeRefusalTest, WhatAnExistingFolderMeansIsSaid) {
  WriteJob(kDense, "sync");
  const ProgramResult none = RunProgram(Command("run", {"--resume"}));
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("there is no run in"));
  ASSERT_EQ(RunProgram(Command("run", {"--resume=auto"})).exit_code, 0);
  const ProgramResult again = RunProgram(Command("run"));
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.output, HasSubstr("--resume"));
  const ProgramResult complete = RunProgram(Command("run", {"--resume"}));
  EXPECT_EQ(complete.exit_code, 0);
  EXPECT_THAT(complete.output, HasSubstr("is complete"));
  const ProgramResult longer = RunProgram(Command("run", {"--resume", "--epochs", "7"}));
  EXPECT_EQ(longer.exit_code, 0) << longer.output;
  EXPECT_THAT(longer.output, HasSubstr("goes on from step 600"));
  EXPECT_EQ(Summary("run")["steps"], 700);
}

// Where the training is would mean something else.
TEST_F(ResumeRefusalTest, AModeWhoseStepsAreOthersIsRefused) {
  WriteJob(kDense, "sync", "checkpoint { at_end: true }\n");
  ASSERT_EQ(RunProgram(Command("run")).exit_code, 0);
  for (const char* const mode : {"async", "local_sgd:4"}) {
    const ProgramResult refused = RunProgram(
        Command("run", {"--resume", "--allow-changes", "--epochs", "7", "--mode", mode}));
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.output,
                HasSubstr(std::string("training.mode: got ") + mode + ", want sync"));
  }
}

TEST_F(ResumeRefusalTest, ATableOfAnotherDimensionIsRefusedWithBoth) {
  WriteJob(kTable, "sync", "checkpoint { at_end: true }\n");
  ASSERT_EQ(RunProgram(Command("run")).exit_code, 0);
  const ProgramResult refused =
      RunProgram(Command("run", {"--resume", "--allow-changes", "--epochs", "7", "--set",
                                 "model.factorization_machine.factors=8"}));
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.output,
              HasSubstr("the checkpoint is of another model or optimizer: table \"rows\": got 5 "
                        "columns and 5 of slots, want 9 and 9"));
}

// Where the training is would be another place in the data.
TEST_F(ResumeRefusalTest, AnotherBatchSizeIsRefused) {
  for (const char* const mode : {"sync", "async"}) {
    SCOPED_TRACE(mode);
    WriteJob(kDense, mode, "checkpoint { at_end: true }\n");
    ASSERT_EQ(RunProgram(Command(mode)).exit_code, 0);
    const ProgramResult refused = RunProgram(
        Command(mode, {"--resume", "--allow-changes", "--epochs", "7", "--batch-size", "80"}));
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.output, HasSubstr("training.batch_size: got 80, want 40"));
    EXPECT_THAT(refused.output, HasSubstr("--init-from"));
  }
}

// What reads the folder later reads the job that it holds the results of, and how that has ended.
TEST_F(ResumeRefusalTest, AJobThatIsRefusedIsNotTheRuns) {
  WriteJob(kTable, "sync", "checkpoint { at_end: true }\n");
  ASSERT_EQ(RunProgram(Command("run")).exit_code, 0);
  const std::string job = ReadFile(folder_ / "run/job.textproto");
  const std::string summary = ReadFile(folder_ / "run/summary.json");
  // By the launcher, by the coordinator, by the servers.
  for (const char* const set : {"training.batch_size=80", "checkpoint.best=\"validation/loss\"",
                                "model.factorization_machine.factors=8"}) {
    SCOPED_TRACE(set);
    const ProgramResult refused =
        RunProgram(Command("run", {"--resume", "--allow-changes", "--epochs", "7", "--set", set}));
    EXPECT_NE(refused.exit_code, 0) << refused.output;
    EXPECT_EQ(ReadFile(folder_ / "run/job.textproto"), job);
    EXPECT_EQ(ReadFile(folder_ / "run/summary.json"), summary);
  }
  EXPECT_THAT(RunProgram(Command("run", {"--resume"})).output, HasSubstr("is complete"));
  const ProgramResult longer = RunProgram(Command("run", {"--resume", "--epochs", "7"}));
  EXPECT_EQ(longer.exit_code, 0) << longer.output;
  EXPECT_NE(ReadFile(folder_ / "run/job.textproto"), job);
}

}  // namespace
}  // namespace convoy::testing
