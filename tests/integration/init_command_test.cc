// `convoy train --init-from` as a user meets it: what the weights begin as, what stays as it is,
// and what is refused. Of tables see init_table_command_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/files/safetensors_writer.h"
#include "tests/integration/init_command_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The strongest thing there is to say of slots and counters: Adam goes on to the bit.
TEST_F(InitCommandTest, TwoTrainingsOneAfterTheOtherAreOneTwiceAsLong) {
  WriteJob("", "");
  TrainWell("long", {"--epochs", "2"});
  TrainWell("first");
  TrainWell("second", {"--init-from", folder_ / "first"});
  EXPECT_TRUE(SameBytes("second", "long"));
  EXPECT_THAT(output_,
              AllOf(HasSubstr("begins with " + (folder_ / "first/checkpoints/step-00000010")),
                    HasSubstr("layer1/weight  loaded  64 x 16  slots m, v")));
  // Whatever the number of servers; and without any.
  TrainWell("second3", {"--init-from", folder_ / "first", "--servers", "3", "--workers", "1"});
  EXPECT_TRUE(SameBytes("second3", "long"));
  TrainWell("single", {"--init-from", folder_ / "first", "--mode", "single"});
  EXPECT_TRUE(SameBytes("single", "long"));
  // Slots that begin anew are another training.
  TrainWell("reset", {"--init-from", folder_ / "first", "--reset-optimizer", ".*"});
  EXPECT_FALSE(SameBytes("reset", "long"));
  EXPECT_THAT(output_, HasSubstr("slots new"));
}

TEST_F(InitCommandTest, FrozenLayerStaysAndWidenedHeadKeepsItsFirstClasses) {
  WriteJob("keep_classes: 0 keep_classes: 1 keep_classes: 2", "");
  TrainWell("old");
  const Weights old = Model("old");
  ASSERT_EQ(old.at("head/weight").size(), 16u * 3);
  WriteJob("", "");
  // All of it frozen shows what the training begins with.
  TrainWell("begin", {"--init-from", folder_ / "old", "--widen", "head/.*", "--freeze", ".*"});
  EXPECT_THAT(output_, HasSubstr("warning: all weights are frozen"));
  Weights begin = Model("begin");
  TrainWell("fresh", {"--freeze", ".*"});
  const Weights fresh = Model("fresh");
  EXPECT_EQ(begin.at("layer1/weight"), old.at("layer1/weight"));
  ASSERT_EQ(begin.at("head/weight").size(), 16u * 4);
  for (size_t i = 0; i < 16 * 4; ++i) {
    const float want =
        i % 4 < 3 ? old.at("head/weight")[i / 4 * 3 + i % 4] : fresh.at("head/weight")[i];
    EXPECT_EQ(begin.at("head/weight")[i], want) << i;
  }
  for (const char* mode : {"sync", "single", "async", "local_sgd:2", "geo:2"}) {
    SCOPED_TRACE(mode);
    const std::string run = absl::StrCat("new-", mode);
    TrainWell(run, {"--init-from", folder_ / "old", "--widen", "head/.*", "--freeze", "layer1/.*",
                    "--mode", mode});
    const Weights now = Model(run);
    EXPECT_EQ(now.at("layer1/weight"), old.at("layer1/weight"));
    EXPECT_EQ(now.at("layer1/bias"), old.at("layer1/bias"));
    EXPECT_NE(now.at("head/weight"), begin.at("head/weight"));
    EXPECT_THAT(output_, AllOf(HasSubstr("frozen"), HasSubstr("16 x 3 -> 16 x 4"),
                               Not(HasSubstr("all weights are frozen"))));
  }
  EXPECT_TRUE(SameBytes("new-single", "new-sync"));
}

// Slots of a frozen layer are kept, so that it goes on later where it was.
TEST_F(InitCommandTest, LayerThatIsUnfrozenGoesOnWithItsSlots) {
  WriteJob("", "");
  TrainWell("first");
  TrainWell("frozen", {"--init-from", folder_ / "first", "--freeze", "layer1/.*"});
  TrainWell("again", {"--init-from", folder_ / "frozen"});
  EXPECT_THAT(output_, HasSubstr("layer1/weight  loaded  64 x 16  slots m, v"));
  // In one process without servers, too, with the same bits.
  TrainWell("frozen-single",
            {"--init-from", folder_ / "first", "--freeze", "layer1/.*", "--mode", "single"});
  TrainWell("again-single", {"--init-from", folder_ / "frozen-single", "--mode", "single"});
  EXPECT_THAT(output_, HasSubstr("layer1/weight  loaded  64 x 16  slots m, v"));
  EXPECT_TRUE(SameBytes("again-single", "again"));
  EXPECT_NE(Model("again").at("layer1/weight"), Model("first").at("layer1/weight"));
  const auto slot_m = [&](const std::string& run, uint64_t step) {
    const auto checkpoint =
        CheckpointReader::Open(absl::StrCat(folder_ / run, "/checkpoints/", CheckpointName(step)));
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    std::vector<float> values(64 * 16);
    EXPECT_TRUE((*checkpoint)->Read(0, 0, 0, values).ok());
    return values;
  };
  EXPECT_EQ(slot_m("frozen", 10), slot_m("first", 10));
}

TEST_F(InitCommandTest, FileOfAnotherProgramIsMappedAndTheRestBeginsAnew) {
  WriteJob("", "");
  const std::string path = folder_ / "other.safetensors";
  auto writer = SafetensorsWriter::Create(
      path, {{"encoder.w", {64, 16}}, {"encoder.b", {16}}, {"extra", {3}}}, {});
  ASSERT_TRUE(writer.ok());
  const std::vector<float> w(64 * 16, 0.25f), b(16, -0.5f), extra(3, 1.0f);
  ASSERT_TRUE((*writer)->Write("encoder.w", 0, w).ok());
  ASSERT_TRUE((*writer)->Write("encoder.b", 0, b).ok());
  ASSERT_TRUE((*writer)->Write("extra", 0, extra).ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  TrainWell("run", {"--init-from", path, "--map", "encoder\\.w=layer1/weight", "--map",
                    "encoder\\.b=layer1/bias", "--replace", "head/.*", "--freeze", ".*"});
  EXPECT_THAT(output_, AllOf(HasSubstr("mapped from encoder.w"), HasSubstr("not used: extra")));
  EXPECT_EQ(Model("run").at("layer1/weight"), w);
  EXPECT_EQ(Model("run").at("layer1/bias"), b);
  TrainWell("fresh", {"--freeze", ".*"});
  EXPECT_EQ(Model("run").at("head/weight"), Model("fresh").at("head/weight"));
}

TEST_F(InitCommandTest, EventsAndLineageSayWhereTheWeightsAreFrom) {
  WriteJob("", "");
  TrainWell("first");
  TrainWell("second", {"--init-from", folder_ / "first"});
  const std::string line = ReadFile(folder_ / "second/events.jsonl");
  const auto event = nlohmann::json::parse(line.substr(0, line.find('\n')));
  EXPECT_EQ(event["kind"], "init");
  EXPECT_EQ(event["from_step"], 10);
  EXPECT_EQ(event["variables"][0]["begins"], "loaded");
  const auto checkpoint = CheckpointReader::Open(folder_ / "second/checkpoints/step-00000010");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  ASSERT_EQ((*checkpoint)->manifest().lineage.size(), 1u);
  EXPECT_EQ((*checkpoint)->manifest().lineage[0].run, folder_ / "first");
  EXPECT_EQ((*checkpoint)->manifest().lineage[0].how, "init");
}

TEST_F(InitCommandTest, CheckShowsWhatATrainingWouldBeginWith) {
  WriteJob("", "");
  TrainWell("first");
  const ProgramResult result = RunProgram(
      {CONVOY_BINARY, "check", job_, "--init-from", folder_ / "first", "--freeze", "head/.*"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("begins with"), HasSubstr("head/bias"),
                                   HasSubstr("frozen"), Not(HasSubstr("all weights are frozen"))));
  EXPECT_THAT(RunProgram({CONVOY_BINARY, "check", job_, "--freeze", ".*"}).output,
              HasSubstr("all weights are frozen"));
}

// A category that came later has a weight of its own, 0 at first: nothing changes for the old rows.
TEST_F(InitCommandTest, SchemaGrowsAndOldRowsArePredictedAsBefore) {
  std::string rows = "size,kind,bad\n", more;
  for (int i = 0; i < 200; ++i) {
    absl::StrAppend(&rows, i % 17, ",", i % 3 == 0 ? "old" : "new", ",", i % 17 > 8 ? 1 : 0, "\n");
    absl::StrAppend(&more, i % 13, ",newest,", i % 2, "\n");
  }
  WriteFile(folder_ / "a.csv", rows);
  WriteFile(folder_ / "b.csv", rows + more);
  const auto write_job = [&](const std::string& file) {
    WriteFile(job_,
              absl::StrCat("data { train: \"", file, "\" cache_dir: \"cache\" ",
                           "csv { label: \"bad\" } }\nmodel { logistic_regression {} }\n",
                           "optimizer { learning_rate: 0.5 }\n",
                           "training { epochs: 3 batch_size: 20 }\ncluster { workers: 2 }\n"));
  };
  const auto evaluate = [&](const std::string& run) {
    return RunProgram({CONVOY_BINARY, "evaluate", folder_ / run, "--data", folder_ / "a.csv"})
        .output;
  };
  write_job("a.csv");
  TrainWell("old");
  write_job("b.csv");
  TrainWell("new", {"--init-from", folder_ / "old", "--widen", "head/weight", "--freeze", ".*"});
  EXPECT_THAT(output_, HasSubstr("3 x 1 -> 4 x 1"));
  EXPECT_EQ(evaluate("new"), evaluate("old"));
  // That goes on without the checkpoint it began with, which may be gone by then.
  const auto stored = ListCheckpoints(folder_ / "old/checkpoints");
  ASSERT_TRUE(stored.ok() && stored->size() == 1);
  const std::string later = folder_ / "old/checkpoints/" + CheckpointName(stored->back().step + 1);
  std::filesystem::rename(stored->back().path, later);
  TrainWell("new", {"--init-from", folder_ / "old", "--widen", "head/weight", "--freeze", ".*",
                    "--resume", "--epochs", "4"});
  EXPECT_EQ(evaluate("new"), evaluate("old"));
  TrainWell("learns", {"--init-from", folder_ / "new"});
  EXPECT_NE(evaluate("learns"), evaluate("old"));
}

// -------------------------------------------------------------------------------- refused

TEST_F(InitCommandTest, MisfitEndsTheJobBeforeTheFirstStepAndProposesInstructions) {
  WriteJob("keep_classes: 0 keep_classes: 1 keep_classes: 2", "");
  TrainWell("old");
  WriteJob("", "");
  const ProgramResult result = Train("new", {"--init-from", folder_ / "old"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, AllOf(HasSubstr("head/weight: has 16 x 3 there and 16 x 4 here"),
                                   HasSubstr("--widen 'head/weight'"), HasSubstr("head/bias"),
                                   Not(HasSubstr("layer1/weight: "))));
  EXPECT_FALSE(std::filesystem::exists(ModelPath("new")));
}

TEST_F(InitCommandTest, ExpressionWithoutMatchNamesItselfAndWhatThereIs) {
  WriteJob("", "");
  TrainWell("old");
  for (const char* flag : {"--freeze", "--replace", "--widen", "--reset-optimizer"}) {
    const ProgramResult result =
        Train(absl::StrCat("new", flag), {"--init-from", folder_ / "old", flag, "layer2/.*"});
    EXPECT_NE(result.exit_code, 0) << flag;
    EXPECT_THAT(result.output, AllOf(HasSubstr("layer2/.*"), HasSubstr("layer1/weight")));
  }
  const ProgramResult result = Train("bad", {"--freeze", "(", "--init-from", folder_ / "old"});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("--freeze (: "));
}

TEST_F(InitCommandTest, SourceThatIsMissingOrDamagedIsNamed) {
  WriteJob("", "");
  const ProgramResult missing = Train("new1", {"--init-from", folder_ / "nothing"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.output, HasSubstr("nothing: there is no such run directory"));
  TrainWell("old");
  const ProgramResult step = Train("new2", {"--init-from", folder_ / "old@7"});
  EXPECT_EQ(step.exit_code, 2);
  EXPECT_THAT(step.output, HasSubstr("no checkpoint of step 7; there are those of steps: 10"));
  std::filesystem::copy(ModelPath("old"), folder_ / "cut.safetensors");
  std::filesystem::resize_file(folder_ / "cut.safetensors", 400);
  const ProgramResult cut = Train("new3", {"--init-from", folder_ / "cut.safetensors"});
  EXPECT_NE(cut.exit_code, 0);
  EXPECT_THAT(cut.output, HasSubstr("cut.safetensors"));
}

TEST_F(InitCommandTest, CheckpointWithAFlippedByteIsNamedAndRefusedBeforeAnythingStarts) {
  WriteJob("", "");
  TrainWell("old");
  const std::string file = folder_ / "old/checkpoints/step-00000010/server-0-of-2.safetensors";
  std::string bytes = ReadFile(file);
  ASSERT_FALSE(bytes.empty());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);  // the value of a weight or slot
  WriteFile(file, bytes);
  const std::vector<std::string> from = {"--init-from", folder_ / "old"};
  const ProgramResult refused = Train("new", from);
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("init.from"), HasSubstr("server-0-of-2.safetensors")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
  const ProgramResult checked = RunProgram({CONVOY_BINARY, "check", job_, from[0], from[1]});
  EXPECT_EQ(checked.exit_code, 2) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("server-0-of-2.safetensors"));
  // A coordinator that is started by hand, and a run that has no checkpoint yet.
  const ProgramResult by_hand = RunProgram(
      {CONVOY_BINARY, "coordinator", job_, from[0], from[1], "--run-dir", folder_ / "by_hand"});
  EXPECT_EQ(by_hand.exit_code, 2) << by_hand.output;
  EXPECT_THAT(by_hand.output, HasSubstr("server-0-of-2.safetensors"));
  ASSERT_EQ(Train("empty", {"--epochs", "1"}).exit_code, 0);
  std::filesystem::remove_all(folder_ / "empty/checkpoints");
  std::filesystem::remove(folder_ / "empty/summary.json");
  const ProgramResult resumed = Train("empty", {from[0], from[1], "--resume"});
  EXPECT_EQ(resumed.exit_code, 2) << resumed.output;
  EXPECT_THAT(resumed.output, HasSubstr("server-0-of-2.safetensors"));
}

// A run that keeps no checkpoints has its final weights, which have no slots.
TEST_F(InitCommandTest, RunWithoutCheckpointGivesItsFinalWeightsAndSaysSo) {
  WriteJob("", "");
  TrainWell("old");
  std::filesystem::remove_all(folder_ / "old/checkpoints");
  TrainWell("new", {"--init-from", folder_ / "old", "--freeze", ".*"});
  EXPECT_THAT(output_, HasSubstr("has no checkpoint: its final weights are taken"));
  EXPECT_EQ(Model("new"), Model("old"));
}

// Every life of a job begins with the same weights, whatever becomes of the run they are from.
TEST_F(InitCommandTest, ARunThatTrainsOnChangesNothingForAJobThatHasBegun) {
  WriteJob("", "checkpoint { at_end: true }\n");
  TrainWell("source");
  const std::vector<std::string> from = {"--init-from", folder_ / "source"};
  TrainWell("alone", from);
  TrainWell("killed", from);
  EXPECT_THAT(ReadFile(folder_ / "killed/job.textproto"),
              HasSubstr(absl::StrCat("from: \"", folder_ / "source", "@10\"")));
  // As if it had been killed before its first checkpoint.
  for (const char* const left : {"summary.json", "model.safetensors", "checkpoints"})
    std::filesystem::remove_all(absl::StrCat(folder_ / "killed/", left));
  TrainWell("source", {"--resume", "--epochs", "2"});
  std::vector<std::string> resume = from;
  resume.push_back("--resume");
  TrainWell("killed", resume);
  EXPECT_THAT(output_, HasSubstr("there is no checkpoint in "));
  EXPECT_TRUE(SameBytes("killed", "alone"));
  // It is no other job, either.
  resume.insert(resume.end(), {"--epochs", "2"});
  TrainWell("killed", resume);
  TrainWell("later", from);
  EXPECT_FALSE(SameBytes("later", "alone"));
}

}  // namespace
}  // namespace convoy::testing
