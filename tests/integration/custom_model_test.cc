// Programs with models of their own, as their users meet them: what goes wrong in a model class
// ends the job with a clear error, in a worker process and in a thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CustomModelTest : public ::testing::Test {
 protected:
  CustomModelTest() {
    std::string data;
    for (int i = 0; i < 60; ++i) data += std::to_string(i % 5) + ".5 1:1\n";
    WriteFile(folder_ / "data.libsvm", data);
  }

  ProgramResult Train(const std::string& model, const std::vector<std::string>& more = {}) {
    WriteFile(job_,
              "data { train: \"data.libsvm\" cache_dir: \"cache\" validation { fraction: 0.2 } }\n"
              "model { custom { name: \"" +
                  model +
                  "\" } }\n"
                  "optimizer { learning_rate: 0.1 }\n"
                  "training { epochs: 2 batch_size: 8 } cluster { workers: 2 }\n");
    std::filesystem::remove_all(run_);
    std::vector<std::string> arguments = {ODD_MODELS, "train", job_, "--run-dir", run_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments);
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
};

struct Oddity {
  const char* model;
  const char* message;  // what it must say
};

class OddModelTest : public CustomModelTest, public ::testing::WithParamInterface<Oddity> {};

TEST_P(OddModelTest, EndsTheJobWithAnErrorThatNamesModelAndBatch) {
  const std::vector<std::vector<std::string>> ways = {
      {}, {"--in-process"}, {"--workers", "1", "--set", "cluster.threads_per_worker=2"}};
  for (const std::vector<std::string>& way : ways) {
    const ProgramResult result = Train(GetParam().model, way);
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_THAT(result.output, HasSubstr(std::string("model \"") + GetParam().model + "\""));
    EXPECT_THAT(result.output, HasSubstr(GetParam().message));
    EXPECT_THAT(result.output, Not(HasSubstr("terminate called")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Every, OddModelTest,
    ::testing::Values(
        Oddity{"throws", "it threw std::runtime_error: lost its table"},
        Oddity{"throws", "epoch 1, batch of 4 examples (numbers "},
        Oddity{"throws_an_int", "it threw int"},
        Oddity{"few_predictions", "it returned 1 values as predictions, want 4 (4 examples x 1)"},
        Oddity{"no_gradients", "it reported 0 of the 1 elements of the gradient of \"mean\""},
        Oddity{"nan_loss", "its loss is not a number"},
        Oddity{"unmade", "it threw std::out_of_range: no such layer"}),
    [](const auto& odd) { return std::string(odd.param.model) + std::to_string(odd.index); });

// Nor is it waited for: the job fails for what the launcher itself knows, with its exit code.
TEST_F(CustomModelTest, AFailureThatASilentCoordinatorDoesNotHearOfEndsTheJob) {
  const ProgramResult result = Train("ends_unheard");
  EXPECT_EQ(result.exit_code, 7) << result.output;
  EXPECT_THAT(result.output, HasSubstr("exited with code 7"));
  EXPECT_THAT(result.output, Not(HasSubstr("another coordinator")));
}

TEST_F(CustomModelTest, TheStockProgramNamesTheOneThatHasTheModel) {
  ASSERT_EQ(Train("mean").exit_code, 0);
  for (const std::string command : {"evaluate", "predict"}) {
    const std::vector<std::string> arguments = {command, run_, "--data", folder_ / "data.libsvm"};
    std::vector<std::string> stock = {CONVOY_BINARY}, own = {ODD_MODELS};
    stock.insert(stock.end(), arguments.begin(), arguments.end());
    own.insert(own.end(), arguments.begin(), arguments.end());
    const ProgramResult refused = RunProgram(stock);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.output, HasSubstr("model \"mean\" is not in this program"));
    EXPECT_THAT(refused.output,
                HasSubstr(std::string("it is in ") + ODD_MODELS + ": run `" + ODD_MODELS + " " +
                          command + " " + run_ + " --data " + arguments[3] + "`"));
    const ProgramResult done = RunProgram(own);
    EXPECT_EQ(done.exit_code, 0) << done.output;
  }
}

TEST_F(CustomModelTest, AJobWhoseModelIsElsewhereStartsNothing) {
  ASSERT_EQ(Train("mean").exit_code, 0);
  const std::string run = folder_ / "run2";
  const ProgramResult result = RunProgram({CONVOY_BINARY, "train", job_, "--run-dir", run});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("model \"mean\" is not in this program"));
  EXPECT_FALSE(std::filesystem::exists(run));
}

TEST_F(CustomModelTest, ALossThatIsNoNumberIsBorneWhereBatchesAreSkipped) {
  const ProgramResult result = Train("nan_loss", {"--set", "training.nan_policy=SKIP"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST_F(CustomModelTest, AModelWithTablesIsTrainedInEveryModeByOneThreadAndBySeveral) {
  for (const char* mode : {"sync", "async", "local_sgd:2", "geo:2", "single"}) {
    const ProgramResult result = Train("with_table", {"--mode", mode});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const ProgramResult threads = Train(
        "with_table", {"--mode", mode, "--workers", "1", "--set", "cluster.threads_per_worker=2"});
    EXPECT_EQ(threads.exit_code, 0) << threads.output;
  }
}

}  // namespace
}  // namespace convoy::testing
