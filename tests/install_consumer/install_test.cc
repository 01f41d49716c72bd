// The package as somebody else uses it: installed into a prefix, found by CMake, linked into a
// program with a model of its own, which then trains with real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::nlohmann::json;
using ::testing::HasSubstr;

class InstallTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    const ProgramResult installed =
        RunProgram({CMAKE_PROGRAM, "--install", CONVOY_BUILD, "--prefix", Prefix()});
    ASSERT_EQ(installed.exit_code, 0) << installed.output;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static std::string Prefix() { return *folder_ / "prefix"; }
  static std::string Convoy() { return Prefix() + "/bin/convoy"; }

  // Configures and builds the project in `source`; its folder of programs is returned.
  static std::string Build(const std::string& source) {
    const std::string build = source + "/build";
    const ProgramResult configured = RunProgram(
        {CMAKE_PROGRAM, "-S", source, "-B", build, "-DCMAKE_PREFIX_PATH=" + Prefix(),
         std::string("-DCMAKE_CXX_COMPILER=") + CXX_COMPILER,
         std::string("-DCMAKE_C_COMPILER=") + C_COMPILER, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"});
    EXPECT_EQ(configured.exit_code, 0) << configured.output;
    const ProgramResult built = RunProgram({CMAKE_PROGRAM, "--build", build});
    EXPECT_EQ(built.exit_code, 0) << built.output;
    return build;
  }

  // Trains the job of the project on 1 server and 2 workers, and measures the model.
  static json TrainAndEvaluate(const std::string& source, const std::string& program) {
    const ProgramResult trained =
        RunProgram({program, "train", source + "/job.textproto", "--run-dir", source + "/run",
                    "--set", "data.cache_dir=" + source + "/cache"});
    EXPECT_EQ(trained.exit_code, 0) << trained.output;
    EXPECT_THAT(trained.output, HasSubstr("within_delta"));
    const std::string out = source + "/metrics.json";
    const ProgramResult measured = RunProgram({program, "evaluate", source + "/run", "--data",
                                               source + "/measurements.libsvm", "--out", out});
    EXPECT_EQ(measured.exit_code, 0) << measured.output;
    return json::parse(ReadFile(out), nullptr, false);
  }

  static TemporaryFolder* folder_;
};

TemporaryFolder* InstallTest::folder_ = nullptr;

TEST_F(InstallTest, TheExampleIsBuiltAgainstThePackageTrainsAndIsMeasured) {
  const std::string source = *folder_ / "example";
  std::filesystem::copy(CONVOY_SOURCE "/examples/custom_model", source,
                        std::filesystem::copy_options::recursive);
  const std::string program = Build(source) + "/custom_model";
  // Exactness includes the user's model.
  EXPECT_THAT(ReadFile(source + "/build/compile_commands.json"), HasSubstr("-ffp-contract=off"));

  const json metrics = TrainAndEvaluate(source, program);
  // 40 of the 400 measurements are outliers; the noise of the others has a fifth of delta as its
  // standard deviation. A least squares line finds next to none within delta.
  EXPECT_NEAR(metrics["own"]["within_delta"], 0.9, 0.005) << metrics;

  const json summary = json::parse(ReadFile(source + "/run/summary.json"));
  EXPECT_EQ(summary["workers"], 2);
  EXPECT_GT(summary["train"]["own"]["within_delta"], 0.8);
  EXPECT_GT(summary["validation"]["own"]["within_delta"], 0.8);
  EXPECT_THAT(ReadFile(source + "/run/events.jsonl"), HasSubstr("\"own\":{\"within_delta\":"));

  // The stock program says where the model is.
  const ProgramResult stock = RunProgram({Convoy(), "evaluate", source + "/run", "--data", "d"});
  EXPECT_EQ(stock.exit_code, 1);
  EXPECT_THAT(stock.output, HasSubstr("model \"huber\" is not in this program"));
  EXPECT_THAT(stock.output,
              HasSubstr("run `" + program + " evaluate " + source + "/run --data d`"));
}

TEST_F(InstallTest, ANewProjectBuildsAndTrainsAsItIs) {
  const std::string source = *folder_ / "shop-model";
  const ProgramResult made = RunProgram({Convoy(), "new", source});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_THAT(ReadFile(source + "/README.md"), HasSubstr("build/shop-model train job.textproto"));
  const json metrics = TrainAndEvaluate(source, Build(source) + "/shop-model");
  EXPECT_NEAR(metrics["own"]["within_delta"], 0.9, 0.005) << metrics;
}

TEST_F(InstallTest, ANewProjectNeverTouchesAFolderThatIsNotEmpty) {
  const std::string source = *folder_ / "taken";
  std::filesystem::create_directory(source);
  WriteFile(source + "/job.textproto", "mine");
  const ProgramResult refused = RunProgram({Convoy(), "new", source});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output, HasSubstr("is not empty"));
  EXPECT_EQ(ReadFile(source + "/job.textproto"), "mine");
  for (const char* name : {"1st", "a b", "test", ""}) {
    const ProgramResult bad = RunProgram({Convoy(), "new", *folder_ / name});
    EXPECT_EQ(bad.exit_code, 2) << name << bad.output;
  }
}

TEST_F(InstallTest, HeadersAreInstalledWithTheGeneratedOnesAndWithoutTests) {
  EXPECT_TRUE(std::filesystem::exists(Prefix() + "/include/convoy/launcher/main.h"));
  EXPECT_TRUE(std::filesystem::exists(Prefix() + "/include/convoy/proto/job.pb.h"));
  EXPECT_FALSE(std::filesystem::exists(Prefix() + "/include/convoy/tests"));
}

}  // namespace
}  // namespace convoy::testing
