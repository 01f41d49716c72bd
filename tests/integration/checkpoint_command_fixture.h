// A run with checkpoints that tests have written, and `convoy checkpoint` on it.
#ifndef CONVOY_TESTS_INTEGRATION_CHECKPOINT_COMMAND_FIXTURE_H_
#define CONVOY_TESTS_INTEGRATION_CHECKPOINT_COMMAND_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/manifest.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {

class CheckpointCommandTest : public ::testing::Test {
 protected:
  // Steps 100, 200 and 300 of a run; weights grow by 0.5 from one to the next.
  CheckpointCommandTest() {
    for (const uint64_t step : {100, 200, 300}) {
      SampleCheckpoint(SampleOptions{.step = step, .shift = static_cast<float>(step) / 200})
          .Write(Path(step));
    }
  }
  std::string Path(uint64_t step) const { return run_ + "/checkpoints/" + CheckpointName(step); }
  static ProgramResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {CONVOY_BINARY, "checkpoint"});
    return RunProgram(arguments);
  }
  static std::string Succeed(std::vector<std::string> arguments) {
    const ProgramResult result = Run(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.output;
  }
  // From the folder `here`.
  static std::string SucceedIn(const std::string& here, std::vector<std::string> arguments) {
    const std::string before = std::filesystem::current_path();
    std::filesystem::current_path(here);
    std::string output = Succeed(std::move(arguments));
    std::filesystem::current_path(before);
    return output;
  }
  // The output of a command that must end with `code`.
  static std::string FailWith(int code, std::vector<std::string> arguments) {
    const ProgramResult result = Run(std::move(arguments));
    EXPECT_EQ(result.exit_code, code) << result.output;
    return result.output;
  }
  static bool Matches(const std::string& text, const std::string& pattern) {
    return std::regex_search(text, std::regex(pattern));
  }
  // Writes the checkpoint of `step` as a change of that of step `base`.
  void WriteDelta(uint64_t step, uint64_t base) {
    const auto manifest = ReadManifest(Path(base));
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    SampleCheckpoint delta(SampleOptions{.step = step});
    delta.MakeDeltaOf({base, manifest->xxh3});
    delta.Write(Path(step));
  }
  void Flip(const std::string& path) {
    std::string bytes = ReadFile(path);
    bytes[bytes.size() / 2] ^= 1;
    WriteFile(path, bytes);
  }

  TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_CHECKPOINT_COMMAND_FIXTURE_H_
