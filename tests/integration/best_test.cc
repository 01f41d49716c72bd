// The best validation: its checkpoint, and the end of a training that makes no more progress.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/math/random.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// Labels that have little to do with the features, so that a model learns them by heart and its
// validation gets worse.
std::string NoisyExamples(uint64_t count) {
  std::string text;
  for (uint64_t i = 0; i < count; ++i) {
    const RandomStream random(5, "line", i);
    std::string line;
    uint64_t sum = 0;
    for (uint64_t field = 0; field < 5; ++field) {
      const uint64_t feature = 1 + 30 * field + random.Below(field, 30);
      sum += feature;
      absl::StrAppend(&line, " ", feature, ":1");
    }
    const bool noise = random.Below(9, 10) < 4;
    absl::StrAppend(&text, noise ? random.Below(10, 2) : (sum / 7) % 2, line, "\n");
  }
  return text;
}

class BestTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteFile(folder_ / "train.libsvm", NoisyExamples(1500)); }

  std::vector<std::string> Train(const std::string& run, const std::string& mode,
                                 const std::string& rules, std::vector<std::string> more = {}) {
    const std::string job = folder_ / (run + ".textproto");
    WriteFile(
        job,
        absl::StrCat(
            "name: \"best\"\n"
            "data { train: \"train.libsvm\" cache_dir: \"cache\" validation { fraction: 0.3 } }\n"
            "model { mlp { hidden: 24 } classes: 2 }\n"
            "optimizer { adam {} learning_rate: 0.01 }\n"
            "training { mode: \"",
            mode, "\" epochs: ", patience_ > 0 ? 300 : 12, " batch_size: 50 slices: 4 ",
            patience_ > 0 ? absl::StrCat("early_stopping { patience: ", patience_, " }") : "",
            " }\n"
            "cluster { servers: 2 workers: 2 }\n",
            rules));
    std::vector<std::string> command = {CONVOY_BINARY, "train", job, "--run-dir", folder_ / run};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  json Summary(const std::string& run) {
    return json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  std::vector<json> Validations(const std::string& run) {
    std::vector<json> found;
    const std::string events = ReadFile(folder_ / (run + "/events.jsonl"));
    for (const auto& line : absl::StrSplit(events, '\n', absl::SkipEmpty())) {
      json event = json::parse(std::string(line));
      if (event["kind"] == "validation") found.push_back(event);
    }
    return found;
  }
  std::vector<uint64_t> Steps(const std::string& run) {
    std::vector<uint64_t> steps;
    const auto stored = ListCheckpoints(folder_ / (run + "/checkpoints"));
    EXPECT_TRUE(stored.ok()) << stored.status();
    for (const StoredCheckpoint& checkpoint : *stored) steps.push_back(checkpoint.step);
    return steps;
  }
  std::string Model(const std::string& run) {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }

  int patience_ = 0;  // of early stopping; 0: none
  TemporaryFolder folder_;
};

TEST_F(BestTest, TheCheckpointOfTheBestValidationIsKeptAndHasTheWeightsThatWereMeasured) {
  for (const char* mode : {"sync", "local_sgd:2", "single"}) {
    SCOPED_TRACE(mode);
    const std::string run = mode;
    const ProgramResult trained = RunProgram(
        Train(run, mode, "checkpoint { best: \"validation/loss\" keep_last: 1 every_steps: 7 }\n"));
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
    const std::vector<json> validations = Validations(run);
    ASSERT_EQ(validations.size(), 12u);
    json best = validations[0];
    for (const json& event : validations) {
      if (event["loss"] < best["loss"]) best = event;
    }
    const json summary = Summary(run);
    ASSERT_TRUE(summary.contains("best"));
    EXPECT_EQ(summary["best"]["step"], best["step"]);
    EXPECT_EQ(summary["best"]["value"], best["loss"]);
    EXPECT_EQ(summary["best"]["metric"], "validation/loss");
    EXPECT_THAT(Steps(run), Contains(best["step"].get<uint64_t>()));
    EXPECT_LE(Steps(run).size(), 2u);
    const std::string place = folder_ / (run + "@best");
    const ProgramResult measured = RunProgram({CONVOY_BINARY, "evaluate", place, "--data",
                                               folder_ / "train.libsvm", "--split", "validation"});
    ASSERT_EQ(measured.exit_code, 0) << measured.output;
    EXPECT_NEAR(json::parse(measured.output)["loss"].get<double>(), best["loss"].get<double>(),
                1e-9);
    const ProgramResult listed = RunProgram({CONVOY_BINARY, "checkpoint", "list", folder_ / run});
    EXPECT_THAT(listed.output, HasSubstr("best: validation/loss"));
    const ProgramResult pruned =
        RunProgram({CONVOY_BINARY, "checkpoint", "prune", folder_ / run, "--keep-last", "1"});
    EXPECT_EQ(pruned.exit_code, 0) << pruned.output;
    EXPECT_THAT(Steps(run), Contains(best["step"].get<uint64_t>()));
    const ProgramResult begun = RunProgram(
        Train("next" + run, mode, "", {"--init-from", place, "--set", "training.max_steps=3"}));
    EXPECT_EQ(begun.exit_code, 0) << begun.output;
    EXPECT_THAT(begun.output, HasSubstr(CheckpointName(best["step"].get<uint64_t>())));
  }
}

TEST_F(BestTest, EarlyStoppingEndsExactlyAtTheValidationThatDecidesAndDeliversTheBestWeights) {
  for (const char* mode : {"sync", "local_sgd:2", "single"}) {
    SCOPED_TRACE(mode);
    const std::string run = mode;
    patience_ = 3;
    const ProgramResult trained = RunProgram(Train(run, mode, ""));
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
    const json summary = Summary(run);
    EXPECT_EQ(summary["stopped_early"], false);
    EXPECT_THAT(summary["early_stopping"].get<std::string>(),
                HasSubstr("validation/loss has not improved for 3 validations"));
    EXPECT_THAT(trained.output, HasSubstr("early stopping: validation/loss has not improved"));
    const std::vector<json> validations = Validations(run);
    ASSERT_GT(validations.size(), 3u);
    EXPECT_EQ(validations.back()["step"], summary["steps"]);
    const json& best = validations[validations.size() - 4];
    EXPECT_EQ(summary["best"]["step"], best["step"]);
    EXPECT_EQ(summary["model_step"], best["step"]);
    const ProgramResult measured = RunProgram({CONVOY_BINARY, "evaluate", folder_ / run, "--data",
                                               folder_ / "train.libsvm", "--split", "validation"});
    ASSERT_EQ(measured.exit_code, 0) << measured.output;
    EXPECT_NEAR(json::parse(measured.output)["loss"].get<double>(), best["loss"].get<double>(),
                1e-9);
    // Another cluster ends at the same step with the same bits.
    const ProgramResult other =
        RunProgram(Train("other" + run, mode, "", {"--servers", "1", "--workers", "3"}));
    ASSERT_EQ(other.exit_code, 0) << other.output;
    EXPECT_EQ(Summary("other" + run)["steps"], summary["steps"]);
    EXPECT_TRUE(Model("other" + run) == Model(run));
    const ProgramResult again = RunProgram(Train(run, mode, "", {"--resume"}));
    EXPECT_EQ(again.exit_code, 0) << again.output;
    EXPECT_THAT(again.output, AllOf(HasSubstr("is complete"), HasSubstr("patience")));
    // With more patience it goes on.
    const std::vector<std::string> patient = {"--resume", "--set",
                                              "training.early_stopping.patience=5"};
    const ProgramResult longer = RunProgram(Train(run, mode, "", patient));
    EXPECT_EQ(longer.exit_code, 0) << longer.output;
    EXPECT_GT(Summary(run)["steps"], summary["steps"]);
  }
}

TEST_F(BestTest, AfterAKillTheBestAndThePatienceGoOn) {
  patience_ = 4;
  const std::string rules = "checkpoint { every_steps: 9 }\n";
  ASSERT_EQ(RunProgram(Train("alone", "sync", rules)).exit_code, 0);
  for (const int delay : {500, 450, 550}) {
    Program program(Train("killed", "sync", rules, {"--resume=auto"}));
    SleepMs(delay);
    kill(-program.pid(), SIGKILL);
    program.Signal(SIGKILL);
    program.Wait();
  }
  const ProgramResult resumed = RunProgram(Train("killed", "sync", rules, {"--resume=auto"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  for (const char* member :
       {"steps", "best", "early_stopping", "model_step", "train", "validation"}) {
    EXPECT_EQ(Summary("alone")[member], Summary("killed")[member]) << member;
  }
  EXPECT_TRUE(Model("alone") == Model("killed"));
}

TEST_F(BestTest, ModesWithoutStepsKeepACheckpointOfTheBestAndEnd) {
  patience_ = 2;
  const ProgramResult trained = RunProgram(Train("run", "async", ""));
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  EXPECT_THAT(Summary("run")["early_stopping"].get<std::string>(), HasSubstr("for 2 validations"));
  ASSERT_TRUE(Summary("run").contains("best"));
  const uint64_t step = Summary("run")["best"]["step"].get<uint64_t>();
  EXPECT_THAT(Steps("run"), Contains(step));
  EXPECT_TRUE(
      VerifyCheckpoint(folder_ / absl::StrCat("run/checkpoints/", CheckpointName(step))).ok());
}

TEST_F(BestTest, AMetricThatTheJobHasNotIsAnErrorBeforeTheTrainingThatListsThoseThereAre) {
  const ProgramResult unknown =
      RunProgram(Train("run", "sync", "checkpoint { best: \"validation/rmse\" }\n"));
  EXPECT_EQ(unknown.exit_code, 1) << unknown.output;
  EXPECT_THAT(unknown.output,
              HasSubstr("checkpoint.best: this job has no metric \"validation/rmse\""));
  EXPECT_THAT(unknown.output, HasSubstr("validation/loss, validation/accuracy"));
  EXPECT_THAT(unknown.output, Not(HasSubstr("epoch 1")));
  const ProgramResult train =
      RunProgram(Train("run2", "sync", "checkpoint { best: \"train/loss\" }\n"));
  EXPECT_EQ(train.exit_code, 2) << train.output;
  EXPECT_THAT(train.output, HasSubstr("want a metric of the validation"));
  patience_ = 2;
  const ProgramResult two =
      RunProgram(Train("run3", "sync", "checkpoint { best: \"validation/accuracy\" }\n"));
  EXPECT_EQ(two.exit_code, 2) << two.output;
  EXPECT_THAT(two.output, HasSubstr("there is one best checkpoint"));
}

}  // namespace
}  // namespace convoy::testing
