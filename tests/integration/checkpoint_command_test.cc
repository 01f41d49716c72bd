// `convoy checkpoint`, as a user meets it. The checkpoints are written by the tests. See also
// checkpoint_export_test.cc.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "common/files/owned_fd.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/integration/checkpoint_command_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

// ---- list

TEST_F(CheckpointCommandTest, ListHasALineForEachCheckpoint) {
  const std::string output = Succeed({"list", run_});
  EXPECT_TRUE(Matches(output, "step +examples +created +age +size +mode +servers +began as\n"))
      << output;
  EXPECT_TRUE(Matches(output, "100 +12800 +2026-11-26 14:05:09 UTC .* kB +async +2 +new\n"))
      << output;
  EXPECT_TRUE(Matches(output, "300 +38400 ")) << output;
}

TEST_F(CheckpointCommandTest, ListMarksWhatIsIncompleteOrDamaged) {
  fs::create_directories(run_ + "/checkpoints/.step-00000400.g2");
  fs::remove(Path(200) + "/manifest.json");
  fs::resize_file(Path(300) + "/manifest.json", 100);
  const std::string output = Succeed({"list", run_});
  EXPECT_THAT(output, AllOf(HasSubstr(".step-00000400.g2  incomplete"),
                            HasSubstr("step-00000200  incomplete: it has no manifest.json"),
                            HasSubstr("step-00000300  damaged: "), HasSubstr("not valid JSON")));
}

TEST_F(CheckpointCommandTest, ListTakesEveryWayToSayWhere) {
  for (const std::string& place :
       {run_ + "@200", run_ + "/@200", run_ + "/checkpoints@200", Path(200), Path(200) + "/"}) {
    const std::string output = Succeed({"list", place});
    EXPECT_THAT(output, AllOf(HasSubstr("25600"), Not(HasSubstr("12800")))) << place;
  }
  EXPECT_EQ(Succeed({"list", run_ + "/checkpoints"}), Succeed({"list", run_}));
  fs::rename(Path(200), folder_ / "moved");
  EXPECT_THAT(Succeed({"list", folder_ / "moved"}), HasSubstr("25600"));
}

// The job went on from step 200, since that of step 400 was damaged.
TEST_F(CheckpointCommandTest, TheBestIsThatOfTheNewestLifeAndPruneKeepsIt) {
  SampleCheckpoint before(SampleOptions{.step = 400}), after(SampleOptions{.step = 300});
  before.manifest.generation = 1;
  before.manifest.best = {"validation/loss", 400, 0.25};
  before.Write(Path(400));
  Flip(Path(400) + "/server-0-of-2.safetensors");
  after.manifest.generation = 2;
  after.manifest.best = {"validation/loss", 200, 0.5};
  after.Write(Path(300));
  EXPECT_THAT(Succeed({"list", run_ + "@best"}),
              AllOf(HasSubstr("25600"), HasSubstr("best: validation/loss 0.5")));
  Succeed({"prune", run_, "--keep-last", "2"});
  EXPECT_TRUE(fs::exists(Path(200)));
  EXPECT_FALSE(fs::exists(Path(100)));
}

TEST_F(CheckpointCommandTest, WhatIsNotThereIsNamedAndWhatIsThere) {
  EXPECT_THAT(FailWith(2, {"list", folder_ / "none"}),
              HasSubstr("there is no folder " + (folder_ / "none")));
  EXPECT_THAT(FailWith(2, {"list", folder_.path()}), HasSubstr("is neither a run directory nor"));
  EXPECT_THAT(FailWith(2, {"inspect", run_ + "@250"}),
              HasSubstr("there is no checkpoint of step 250 in " + run_ +
                        "/checkpoints; there are steps 100, 200, 300"));
  EXPECT_THAT(FailWith(2, {"inspect", run_ + "@last"}),
              HasSubstr("got step \"last\", want a number"));
  EXPECT_THAT(FailWith(2, {"inspect", Path(200) + "@200"}), HasSubstr("is a checkpoint itself"));
  fs::remove_all(run_ + "/checkpoints");
  EXPECT_THAT(FailWith(2, {"list", run_}), HasSubstr("is neither a run directory nor"));
  WriteFile(run_ + "/job.textproto", "");
  EXPECT_THAT(FailWith(2, {"list", run_}), HasSubstr("the run in " + run_ + " has no checkpoints"));
  fs::create_directories(run_ + "/checkpoints");
  EXPECT_THAT(FailWith(2, {"list", run_}), HasSubstr("there is no checkpoint in "));
  EXPECT_THAT(FailWith(2, {"verify", run_}), HasSubstr("there is no complete checkpoint in "));
}

TEST_F(CheckpointCommandTest, AnIncompleteCheckpointIsNamedAsSuch) {
  fs::remove(Path(200) + "/manifest.json");
  EXPECT_THAT(FailWith(2, {"inspect", Path(200)}), HasSubstr("is no complete checkpoint"));
  EXPECT_THAT(FailWith(2, {"inspect", run_ + "@200"}),
              HasSubstr("step-00000200 is incomplete, it has no manifest.json; there are steps "
                        "100, 300"));
  fs::remove_all(Path(100));
  EXPECT_THAT(FailWith(2, {"inspect", run_ + "@200"}), HasSubstr("; there is step 300\n"));
  fs::create_directories(run_ + "/checkpoints/.step-00000400.g2");
  EXPECT_THAT(FailWith(2, {"inspect", run_ + "/checkpoints/.step-00000400.g2"}),
              HasSubstr("is incomplete"));
}

// ---- inspect

TEST_F(CheckpointCommandTest, InspectShowsTheNewest) {
  const std::string output = Succeed({"inspect", run_});
  EXPECT_THAT(output, HasSubstr("checkpoint " + Path(300)));
  // 300 steps of 128 examples.
  for (const char* pattern :
       {"step +300 batches that server 0 has counted\n",
        "examples +38400 \\(0\\.64 epochs of 60000\\)", "mode +async, 4 slices",
        "written by +2 servers of generation 2", "data tasks +4 complete",
        "began as +a new training", "w +2 x 3 +6 +2 +m, v\n", "b +1 +1 +1 +-\n",
        "t +5 +1 +bias 1, factors 2 +bias/z 1, bias/n 1, factors/a 1\n",
        "server-1-of-2.safetensors +[0-9.]+ kB +[0-9a-f]{16}\n"}) {
    EXPECT_TRUE(Matches(output, pattern)) << pattern << "\n" << output;
  }
}

TEST_F(CheckpointCommandTest, InspectShowsTheWholeLineage) {
  SampleCheckpoint checkpoint;
  checkpoint.manifest.lineage = {{"old.safetensors", 0, "init"}, {"runs/a", 800, "resume"}};
  checkpoint.Write(folder_ / "c");
  EXPECT_TRUE(Matches(Succeed({"inspect", folder_ / "c"}),
                      "began as +init of old.safetensors@0\n +then as +resume of runs/a@800\n"));
}

TEST_F(CheckpointCommandTest, WithStepsThereAreNoDataTasks) {
  SampleCheckpoint checkpoint;
  checkpoint.manifest.mode = "sync";
  checkpoint.Write(folder_ / "c");
  const std::string output = Succeed({"inspect", folder_ / "c"});
  EXPECT_TRUE(Matches(output, "step +1200, which the whole model has taken\n")) << output;
  EXPECT_THAT(output, Not(HasSubstr("data tasks")));
}

TEST_F(CheckpointCommandTest, InspectPrintsTheJob) {
  EXPECT_EQ(Succeed({"inspect", run_, "--job"}), "name: \"sample\"\n");
}

TEST_F(CheckpointCommandTest, InspectRefusesANewerVersion) {
  WriteFile(Path(300) + "/manifest.json", R"({"format": "convoy checkpoint", "version": 9})");
  EXPECT_THAT(FailWith(1, {"inspect", run_}),
              AllOf(HasSubstr("is of version 9"), HasSubstr("use a newer Convoy")));
  EXPECT_THAT(Succeed({"list", run_}), HasSubstr("step-00000300  can't be read: "));
}

// ---- verify

TEST_F(CheckpointCommandTest, VerifySaysOkOfEachCheckpoint) {
  const std::string output = Succeed({"verify", run_});
  for (const char* step : {"100", "200", "300"}) {
    EXPECT_TRUE(Matches(output, std::string("step-00000") + step + "  ok, 3 files, [0-9.]+ kB\n"));
  }
}

TEST_F(CheckpointCommandTest, VerifyNamesDamagedFilesAndTheNewestGoodCheckpoint) {
  Flip(Path(300) + "/server-1-of-2.safetensors");
  const std::string output = FailWith(1, {"verify", run_});
  EXPECT_TRUE(Matches(output,
                      "step-00000300  can't be used\n +manifest.json +ok\n +server-0-of-2."
                      "safetensors +ok\n +server-1-of-2.safetensors +has the checksum"))
      << output;
  EXPECT_THAT(
      output,
      HasSubstr("convoy: 1 of 3 checkpoints can't be used; the newest good one is " + Path(200)));
  EXPECT_THAT(FailWith(1, {"verify", run_ + "@300"}), HasSubstr("its bytes were changed"));
  Succeed({"verify", run_ + "@200"});
}

TEST_F(CheckpointCommandTest, VerifyFindsMissingAndCutFiles) {
  fs::remove(Path(300) + "/server-0-of-2.safetensors");
  fs::resize_file(Path(200) + "/server-0-of-2.safetensors", 10);
  Flip(Path(100) + "/manifest.json");
  EXPECT_THAT(FailWith(1, {"verify", run_}),
              AllOf(HasSubstr("is missing"), HasSubstr("it was cut"), HasSubstr("none is left")));
}

// The parent of "." or of a link is not the folder of its base.
TEST_F(CheckpointCommandTest, TheBaseOfADeltaIsFoundHoweverThePlaceIsWritten) {
  WriteDelta(400, 300);
  fs::create_directory_symlink(Path(400), folder_ / "newest");
  fs::create_directory_symlink(run_, folder_ / "link");
  struct Case {
    std::string here, place;
  };
  for (const Case& c :
       {Case{Path(400), "."}, Case{Path(400), "./"}, Case{folder_.path(), "newest"},
        Case{"/", folder_ / "newest/"}, Case{run_, "."}, Case{run_ + "/checkpoints", "."},
        Case{folder_.path(), "link@400"}, Case{"/", folder_ / "link"}}) {
    SCOPED_TRACE(c.here + ": " + c.place);
    EXPECT_THAT(SucceedIn(c.here, {"verify", c.place}), HasSubstr("  ok, 3 files, "));
    EXPECT_THAT(SucceedIn(c.here, {"inspect", c.place}), HasSubstr("51200"));
  }
  // Moved to another disk: its base is still beside the link.
  fs::create_directory(folder_ / "archive");
  fs::rename(Path(400), folder_ / "archive/step-00000400");
  fs::create_directory_symlink(folder_ / "archive/step-00000400", Path(400));
  EXPECT_THAT(SucceedIn(run_, {"verify", Path(400)}), HasSubstr("  ok, 3 files, "));
  fs::remove_all(Path(300));
  EXPECT_THAT(FailWith(1, {"verify", folder_ / "newest"}), HasSubstr("of no use without its base"));
}

// ---- diff

TEST_F(CheckpointCommandTest, DiffMeasuresTheChange) {
  const std::string output = Succeed({"diff", run_ + "@100", run_ + "@300"});
  // Six values grow by 1: sqrt(6) = 2.449; A is 0.5 .. 5.5: sqrt(0.25 + 2.25 + 6.25 + 12.25 + 20.25
  // + 30.25) = 8.456, and 2.449 / 8.456 = 0.2897.
  EXPECT_TRUE(Matches(output, "w +6 +2\\.449 +0\\.2897 +1\n")) << output;
  EXPECT_TRUE(Matches(output, "b +1 +same +0 +0\n")) << output;
  // One weight of each row grows; at 123456789.5 a float has no such digit.
  EXPECT_TRUE(Matches(output, "t +0 +0 +4 +1 +2 ")) << output;
}

TEST_F(CheckpointCommandTest, DiffCountsRowsAndNamesWhatIsInOneOnly) {
  SampleCheckpoint other(SampleOptions{.servers = 1, .ids = {1, 2, 50, 60, 70}});
  other.manifest.variables[1].name = "c";
  other.files[0].Tensor("b[0:1]").name = "c[0:1]";
  other.Write(folder_ / "other");
  SampleCheckpoint(SampleOptions{.servers = 3}).Write(folder_ / "base");
  const std::string output = Succeed({"diff", folder_ / "base", folder_ / "other"});
  EXPECT_TRUE(Matches(output, "w +6 +same ")) << output;
  EXPECT_THAT(output, HasSubstr("\n  b  only in A\n  c  only in B\n"));
  EXPECT_TRUE(Matches(output, "t +3 +3 +0 +2 +0 +0 +0\n")) << output;
}

TEST_F(CheckpointCommandTest, DiffShowsNumbersThatAreNone) {
  SampleCheckpoint other(SampleOptions{.step = 100, .shift = 0.5});
  other.files[1].Tensor("w[4:6]").f32[0] = std::nanf("");
  other.Write(folder_ / "other");
  EXPECT_TRUE(
      Matches(Succeed({"diff", run_ + "@100", folder_ / "other"}), "w +6 +nan +nan +nan\n"));
}

// ---- prune

TEST_F(CheckpointCommandTest, PruneRemovesWhatItSays) {
  const std::string said =
      Succeed({"prune", run_, "--keep-last", "1", "--keep-every", "200", "--dry-run"});
  EXPECT_TRUE(Matches(said,
                      "would remove step-00000100  [0-9.]+ kB\nkept step-00000200\nkept "
                      "step-00000300\n1 checkpoint would go, [0-9.]+ kB; 2 kept\n"))
      << said;
  EXPECT_TRUE(fs::exists(Path(100)));
  const std::string done = Succeed({"prune", run_, "--keep-last", "1", "--keep-every", "200"});
  EXPECT_THAT(done, AllOf(HasSubstr("removed step-00000100"), HasSubstr("1 checkpoint removed, ")));
  EXPECT_FALSE(fs::exists(Path(100)));
  EXPECT_TRUE(fs::exists(Path(200)));
  EXPECT_THAT(Succeed({"prune", run_, "--keep-last", "5"}),
              HasSubstr("0 checkpoints removed, 0 B; 2 kept"));
}

TEST_F(CheckpointCommandTest, PruneKeepsTheLastGoodCheckpoint) {
  Flip(Path(300) + "/server-0-of-2.safetensors");
  EXPECT_THAT(FailWith(1, {"prune", run_, "--keep-last", "1"}),
              AllOf(HasSubstr("nothing was removed"), HasSubstr("step-00000300 is damaged")));
  EXPECT_TRUE(fs::exists(Path(100)));
  Succeed({"prune", run_, "--keep-last", "2"});
  EXPECT_TRUE(fs::exists(Path(200)));
  EXPECT_FALSE(fs::exists(Path(100)));
}

TEST_F(CheckpointCommandTest, PruneKeepsTheNewestGoodCheckpointThoughAnOlderOneWouldStay) {
  SampleCheckpoint(SampleOptions{.step = 400}).Write(Path(400));
  Flip(Path(400) + "/server-0-of-2.safetensors");
  EXPECT_THAT(FailWith(1, {"prune", run_, "--keep-last", "1", "--keep-every", "200"}),
              AllOf(HasSubstr("nothing was removed, since step-00000300, the newest good "
                              "checkpoint, would go: "),
                    HasSubstr("step-00000400 is damaged")));
  for (const uint64_t step : {100, 200, 300, 400}) EXPECT_TRUE(fs::exists(Path(step))) << step;
}

TEST_F(CheckpointCommandTest, PruneTakesAChangeOfADamagedCheckpointForNoGoodOne) {
  SampleCheckpoint(SampleOptions{.step = 400}).Write(Path(400));
  WriteDelta(500, 400);
  Flip(Path(400) + "/server-0-of-2.safetensors");
  // 300 and 100 would go: 400 is the base of 500.
  EXPECT_THAT(FailWith(1, {"prune", run_, "--keep-last", "1", "--keep-every", "200"}),
              AllOf(HasSubstr("since step-00000300, the newest good checkpoint, would go: "),
                    HasSubstr("step-00000500 is a change of another checkpoint: "),
                    HasSubstr("step-00000400 is damaged")));
  EXPECT_TRUE(fs::exists(Path(300)));
}

TEST_F(CheckpointCommandTest, PruneKeepsTheNewestGoodCheckpointWithAllThatItIsAChangeOf) {
  WriteDelta(400, 300);
  WriteDelta(500, 400);
  SampleCheckpoint(SampleOptions{.step = 600}).Write(Path(600));
  fs::resize_file(Path(600) + "/manifest.json", 100);
  // 500 would go, but not 300 and 600.
  EXPECT_THAT(FailWith(1, {"prune", run_, "--keep-last", "1", "--keep-every", "300"}),
              AllOf(HasSubstr("since step-00000500, the newest good checkpoint, would go: "),
                    HasSubstr("step-00000600/manifest.json: not valid JSON")));
  Succeed({"prune", run_, "--keep-last", "2"});
  EXPECT_FALSE(fs::exists(Path(200)));
  EXPECT_THAT(Succeed({"verify", run_ + "@500"}), HasSubstr("ok, "));
}

TEST_F(CheckpointCommandTest, PruneRemovesWhatAKilledProcessLeft) {
  const std::string left = run_ + "/checkpoints/.step-00000007.g2";
  fs::create_directories(left);
  WriteFile(left + "/server-0-of-2.safetensors.tmp-1-0", "half");
  EXPECT_THAT(Succeed({"prune", run_, "--keep-last", "5", "--dry-run"}),
              HasSubstr("would remove .step-00000007.g2, left by a process"));
  EXPECT_TRUE(fs::exists(left));
  EXPECT_THAT(Succeed({"prune", run_, "--keep-last", "5"}),
              HasSubstr("removed .step-00000007.g2, left by a process that was killed\n"));
  EXPECT_FALSE(fs::exists(left));
  EXPECT_THAT(Succeed({"prune", run_, "--keep-last", "5"}), Not(HasSubstr("killed")));
}

// It may be a change of one that would go.
TEST_F(CheckpointCommandTest, PruneRemovesNothingBesideACheckpointOfANewerVersion) {
  WriteFile(Path(300) + "/manifest.json", R"({"format": "convoy checkpoint", "version": 9})");
  EXPECT_THAT(FailWith(1, {"prune", run_, "--keep-last", "2"}),
              AllOf(HasSubstr("nothing was removed, since what step-00000300 needs"),
                    HasSubstr("use a newer Convoy")));
  EXPECT_TRUE(fs::exists(Path(100)));
}

// However its folder is written.
TEST_F(CheckpointCommandTest, PruneRefusesARunThatIsUnderWay) {
  const std::string lock = run_ + "/lock";
  const OwnedFd held(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(held.get(), LOCK_EX | LOCK_NB), 0);
  const std::string here = std::filesystem::current_path();
  std::filesystem::current_path(run_ + "/checkpoints");
  for (const std::string& place : {run_, run_ + "/checkpoints", run_ + "/checkpoints/",
                                   run_ + "/checkpoints/.", std::string("."), std::string("..")}) {
    SCOPED_TRACE(place);
    FailWith(2, {"prune", place, "--keep-last", "1"});
    EXPECT_TRUE(std::filesystem::exists(Path(100)));
  }
  std::filesystem::current_path(here);
}

TEST_F(CheckpointCommandTest, PruneWantsARunAndANumber) {
  EXPECT_THAT(FailWith(2, {"prune", run_}), HasSubstr("--keep-last is missing"));
  EXPECT_THAT(FailWith(2, {"prune", run_, "--keep-last", "0"}),
              HasSubstr("got \"0\", want 1 or more"));
  EXPECT_THAT(FailWith(2, {"prune", run_, "--keep-last", "-1"}),
              HasSubstr("got \"-1\", want 1 or more"));
  EXPECT_THAT(FailWith(2, {"prune", run_ + "@100", "--keep-last", "1"}),
              HasSubstr("is one checkpoint, want a run directory"));
}

// ---- the command itself

TEST_F(CheckpointCommandTest, MistypedCommandsAreCorrected) {
  EXPECT_THAT(FailWith(2, {}), AllOf(HasSubstr("a command is missing; commands: list, inspect"),
                                     HasSubstr("Try: convoy help checkpoint")));
  EXPECT_THAT(FailWith(2, {"lst", run_}),
              HasSubstr("convoy checkpoint: there is no command \"lst\", did you mean \"list\"?"));
  EXPECT_THAT(FailWith(2, {"list"}), AllOf(HasSubstr("convoy checkpoint list: RUN_DIR is missing"),
                                           HasSubstr("Try: convoy help checkpoint list")));
  EXPECT_THAT(FailWith(2, {"inspect", run_, "--jop"}), HasSubstr("did you mean \"--job\""));
}

TEST_F(CheckpointCommandTest, HelpGoesDownToTheCommand) {
  const ProgramResult help = RunProgram({CONVOY_BINARY, "help", "checkpoint", "prune"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output,
              AllOf(HasSubstr("Usage: convoy checkpoint prune"), HasSubstr("--dry-run")));
  const ProgramResult wrong = RunProgram({CONVOY_BINARY, "help", "checkpoint", "prun"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.output,
              AllOf(HasSubstr("did you mean \"prune\""), HasSubstr("Try: convoy help checkpoint")));
}

}  // namespace
}  // namespace convoy::testing
