// The command line as a newcomer meets it: help, mistakes, `check`, `explain`, the environment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// For the length of a scope.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~EnvironmentVariable() { unsetenv(name_); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;

 private:
  const char* const name_;
};

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    WriteToyImages({.examples = 400}, folder_ / "toy");
    WriteFile(job_,
              "data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" validation { fraction: "
              "0.2 } }\nmodel { mlp { hidden: 16 } }\n"
              "optimizer { momentum {} learning_rate: 0.1 }\n"
              "training { epochs: 2 batch_size: 32 }\ncluster { servers: 1 workers: 2 }\n");
  }

  static ProgramResult Convoy(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), CONVOY_BINARY);
    return RunProgram(arguments);
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
};

// ---- check

TEST_F(CommandLineTest, CheckShowsDataModelStepsAndMemoryAndTrainsNothing) {
  const ProgramResult result = Convoy({"check", job_});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  // 400 examples of 8 x 8 pixels, a fifth held back; 10 batches of 32 an epoch.
  for (const char* part :
       {"job \"job\" can be trained", "training examples    320", "validation examples  80",
        "features             64 (8 x 8 x 1)", "classes              4",
        "a step    32 examples, in 2 slices", "an epoch  10 steps, 320 examples",
        "in all    20 steps, 640 examples", "1 server", "2 workers", "this machine"}) {
    EXPECT_THAT(result.output, HasSubstr(part));
  }
  // 64 x 16 + 16 + 16 x 4 + 4 values.
  EXPECT_TRUE(std::regex_search(result.output, std::regex("64 x 16 +1024 +4\\.1 kB")))
      << result.output;
  EXPECT_TRUE(std::regex_search(result.output, std::regex("in all +1108 +4\\.4 kB")))
      << result.output;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "cache"));
  EXPECT_FALSE(std::filesystem::exists("runs"));
}

TEST_F(CommandLineTest, CheckExitsWith2AndAllErrors) {
  ProgramResult result = Convoy({"check", job_, "--epochs", "0", "--batch-size", "0"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("--epochs 0: training.epochs must be >= 1, got 0"));
  EXPECT_THAT(result.output, HasSubstr("--batch-size 0: training.batch_size must be >= 1, got 0"));
  result = Convoy({"check", job_, "--set", "model.classes=3"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("training data"));
  result = Convoy({"check", job_, "--set", "model={conv_net {}}", "--set", "data.train=none"});
  EXPECT_EQ(result.exit_code, 2);
}

// ---- memory

// Two layers of 2^20 x 2^20 values are 8 TiB: no machine of a test has that.
const std::vector<std::string> kHuge = {"--set", "model.mlp.hidden=1048576,1048576"};

TEST_F(CommandLineTest, AJobLargerThanTheMachineIsRefusedByCheckAndTrainBeforeItTakesMemory) {
  std::vector<std::string> check = {"check", job_};
  check.insert(check.end(), kHuge.begin(), kHuge.end());
  ProgramResult result = Convoy(check);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("the job needs about "));

  std::vector<std::string> train = {"train", job_, "--run-dir", run_};
  train.insert(train.end(), kHuge.begin(), kHuge.end());
  result = Convoy(train);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("the job needs about "));
  EXPECT_THAT(result.output, HasSubstr("--set cluster.memory_check=false"));

  check.insert(check.end(), {"--set", "cluster.memory_check=false"});
  EXPECT_EQ(Convoy(check).exit_code, 0);
}

TEST_F(CommandLineTest, TrainSaysTheMemoryOfEachProcess) {
  const ProgramResult result = Convoy({"train", job_, "--run-dir", run_});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(std::regex_search(
      result.output, std::regex("memory: at most about [0-9.]+ MB a server, [0-9.]+ MB a worker")))
      << result.output;
}

// ---- flags

TEST_F(CommandLineTest, FlagsStandForFieldsOfTheJob) {
  const ProgramResult result =
      Convoy({"train", job_, "--run-dir", run_, "--epochs", "1", "--batch-size", "64",
              "--learning-rate", "0.05", "--seed", "9", "--workers", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const std::string job = ReadFile(run_ + "/job.textproto");
  for (const char* field :
       {"epochs: 1\n", "batch_size: 64\n", "learning_rate: 0.05\n", "seed: 9\n", "workers: 1\n"}) {
    EXPECT_THAT(job, HasSubstr(field));
  }
}

TEST_F(CommandLineTest, PinnedProcessesAndSpinningThreadsTrainTheSameModel) {
  ASSERT_EQ(Convoy({"train", job_, "--run-dir", run_}).exit_code, 0);
  const std::string model = ReadFile(run_ + "/model.safetensors");
  for (const char* how : {"cluster.pin_cores=true", "cluster.spin_us=50"}) {
    for (const char* where : {"--in-process", "--seed=1"}) {  // the second changes nothing
      std::filesystem::remove_all(run_);
      // One worker does both slices: few processes, so that spinning stays on.
      const ProgramResult result = Convoy({"train", job_, "--run-dir", run_, "--set", how, where,
                                           "--workers", "1", "--set", "training.slices=2"});
      ASSERT_EQ(result.exit_code, 0) << result.output;
      EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), model) << how << " " << where;
    }
  }
}

TEST_F(CommandLineTest, AWorkerOfTwoThreadsIsPinnedToTwoCoresAndTrainsTheSameModel) {
  ASSERT_EQ(Convoy({"train", job_, "--run-dir", run_}).exit_code, 0);
  const std::string model = ReadFile(run_ + "/model.safetensors");
  for (const char* where : {"--in-process", "--seed=1"}) {  // the second changes nothing
    std::filesystem::remove_all(run_);
    const ProgramResult result =
        Convoy({"train", job_, "--run-dir", run_, "--set", "cluster.pin_cores=true", where,
                "--workers", "1", "--set", "cluster.threads_per_worker=2"});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), model) << where;
    EXPECT_THAT(result.output, HasSubstr("1 server, 1 worker of 2 threads, 2 slices"));
  }
}

TEST_F(CommandLineTest, SpinningIsTurnedOffWhereProcessesOutnumberCores) {
  const std::string cores = std::to_string(std::thread::hardware_concurrency());
  const ProgramResult result = Convoy({"train", job_, "--run-dir", run_, "--workers", cores,
                                       "--in-process", "--set", "cluster.spin_us=50"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("cluster.spin_us is off"));
  EXPECT_THAT(ReadFile(run_ + "/job.textproto"), HasSubstr("spin_us: 0\n"));
}

// ---- explain

TEST_F(CommandLineTest, ExplainPrintsTheWordsOfTheSchema) {
  ProgramResult result = Convoy({"explain", "optimizer.adam"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("Adam, bias-corrected."));
  result = Convoy({"explain"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("\ncluster {}\n"));
  result = Convoy({"explain", "optimizer.adamm"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("did you mean \"adam\"?"));
}

// ---- mistakes

TEST_F(CommandLineTest, MistypedCommandsAndFlagsGetASuggestionAndExitWith2) {
  const struct {
    std::vector<std::string> arguments;
    const char* said;
  } cases[] = {
      {{"trai"}, "there is no command \"trai\", did you mean \"train\"?\nTry: convoy help\n"},
      {{"trian", job_}, "did you mean \"train\"?"},
      {{"fly"},
       "there is no command \"fly\"; commands: init, train, compare, report, status, check, "},
      {{"help", "chek"}, "there is no command \"chek\", did you mean \"check\"?"},
      {{"train", job_, "--epoch", "3"},
       "convoy train: there is no flag \"--epoch\", did you mean \"--epochs\"?\nTry: convoy help "
       "train\n"},
      {{"train", job_, "--worker=3"}, "there is no flag \"--worker\", did you mean \"--workers\"?"},
      {{"train", job_, "other"}, "convoy train: unexpected argument \"other\""},
      {{"train"}, "convoy train: JOB is missing\nTry: convoy help train\n"},
      {{"server"}, "convoy server: --coordinator is missing"},
      {{"--versoin"}, "convoy: there is no flag \"--versoin\", did you mean \"--version\"?"},
      {{"server", "--coordinator", "a:1", "--threads", "0"},
       "convoy server: --threads: Value 0 not in range 1 to 1024"},
      {{"train", job_, "--servers"}, "convoy train: --servers needs a value"},
  };
  for (const auto& c : cases) {
    const ProgramResult result = Convoy(c.arguments);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr(c.said));
  }
}

TEST_F(CommandLineTest, ACoordinatorByHandRefusesModeSingle) {
  const ProgramResult result = Convoy({"coordinator", job_, "--mode", "single"});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("convoy train JOB --mode single"));
}

TEST_F(CommandLineTest, WithoutArgumentsTheCommandsAreListed) {
  const ProgramResult result = Convoy({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("check"));
}

TEST_F(CommandLineTest, EveryCommandHasHelp) {
  const ProgramResult all = Convoy({"help"});
  ASSERT_EQ(all.exit_code, 0);
  std::istringstream lines(all.output.substr(all.output.find("Subcommands:")));
  std::string line, first;
  std::set<std::string> commands;
  for (std::getline(lines, line); std::getline(lines, line) && line.starts_with("  ");) {
    std::istringstream(line) >> first;
    if (line[2] != ' ') commands.insert(first);
  }
  for (const char* one : {"train", "compare", "checkpoint", "new", "version"})
    EXPECT_TRUE(commands.contains(one)) << one;
  EXPECT_GE(commands.size(), 17u);
  for (const std::string& command : commands) {
    const ProgramResult help = Convoy({"help", command});
    EXPECT_EQ(help.exit_code, 0) << help.output;
    EXPECT_THAT(help.output, HasSubstr("Usage: convoy ")) << command;
    EXPECT_EQ(Convoy({command, "--help"}).exit_code, 0);
  }
}

// ---- environment

TEST_F(CommandLineTest, TheEnvironmentStandsForTheFlagsOfRoles) {
  const std::string help = Convoy({"help", "server"}).output;
  for (const char* name : {"CONVOY_COORDINATOR", "CONVOY_LISTEN", "CONVOY_ADVERTISE", "CONVOY_RANK",
                           "CONVOY_THREADS", "CONVOY_INSECURE_LISTEN"}) {
    EXPECT_THAT(help, HasSubstr(name));
  }
  const EnvironmentVariable run_dir("CONVOY_RUN_DIR", run_);
  Program coordinator({CONVOY_BINARY, "coordinator", job_, "--workers", "1"});
  ASSERT_TRUE(coordinator.WaitForOutput("waiting for"));
  std::smatch match;
  const std::string output = coordinator.Output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("listens on (127.0.0.1:[0-9]+)")));
  const EnvironmentVariable address("CONVOY_COORDINATOR", match[1]);
  const EnvironmentVariable rank("CONVOY_RANK", "0");
  Program server({CONVOY_BINARY, "server"});
  Program worker({CONVOY_BINARY, "worker"});
  for (Program* program : {&server, &worker, &coordinator}) {
    const ProgramResult result = program->Wait();
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }
  EXPECT_TRUE(std::filesystem::exists(run_ + "/model.safetensors"));
}

TEST_F(CommandLineTest, ALaunchersChildrenDoNotTakeFlagsFromItsEnvironment) {
  const EnvironmentVariable address("CONVOY_LISTEN", "192.0.2.1:1");
  const ProgramResult result = Convoy({"train", job_, "--run-dir", run_});
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

// ---- crashes

TEST_F(CommandLineTest, ACrashWritesAStackWithNamesToTheLogAndKeepsItsSignal) {
  const ProgramResult result =
      RunProgram({CONVOY_CRASHING_PROGRAM, "train", job_, "--run-dir", run_, "--workers", "1",
                  "--set", "model.custom.name=crash"});
  EXPECT_EQ(result.exit_code, 139) << result.output;
  EXPECT_THAT(result.output, HasSubstr("was killed by SIGSEGV"));
  const std::string log = ReadFile(run_ + "/logs/worker-0.log");
  EXPECT_THAT(log, HasSubstr("*** SIGSEGV received"));
  EXPECT_THAT(log, HasSubstr("MakeModelThatCrashes"));
  EXPECT_THAT(log, HasSubstr("convoy::PrepareTraining"));  // who called it
}

TEST_F(CommandLineTest, ARequestToEndIsNoCrash) {
  Program coordinator({CONVOY_BINARY, "coordinator", job_, "--run-dir", run_});
  ASSERT_TRUE(coordinator.WaitForOutput("waiting for"));
  std::smatch match;
  const std::string output = coordinator.Output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("listens on (127.0.0.1:[0-9]+)")));
  Program server({CONVOY_BINARY, "server", "--coordinator", match[1]});
  ASSERT_TRUE(server.WaitForOutput("listens on"));
  server.Signal(SIGTERM);
  const ProgramResult result = server.Wait();
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  EXPECT_THAT(result.output, Not(HasSubstr("***")));
}

}  // namespace
}  // namespace convoy::testing
