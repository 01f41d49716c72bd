// Jobs that are killed and go on, as a user sees them: a dense model or a table, 6 epochs of 100
// steps.
#ifndef CONVOY_TESTS_INTEGRATION_RESUME_FIXTURE_H_
#define CONVOY_TESTS_INTEGRATION_RESUME_FIXTURE_H_

#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {

inline constexpr char kDense[] =
    "model { mlp { hidden: 32 } classes: 2 }\n"
    "optimizer { adam {} learning_rate: 0.01 }\n";
inline constexpr char kTable[] =
    "model { factorization_machine { factors: 4 } }\n"
    "optimizer { adagrad {} learning_rate: 0.1 }\n"
    "table { match: \"rows\" admit_after: 2 expire_after: 3 }\n";

class ResumeTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteFile(folder_ / "train.libsvm", ParityLines(4000)); }

  void WriteJob(const std::string& model, const std::string& mode, const std::string& more = "") {
    WriteFile(job_, absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" ",
                                 model == kTable ? "ids: true" : "", " }\n", model,
                                 "training { mode: \"", mode,
                                 "\" epochs: 6 batch_size: 40 slices: 4 }\n"
                                 "cluster { servers: 2 workers: 2 }\n",
                                 more));
  }
  std::vector<std::string> Command(const std::string& run,
                                   std::vector<std::string> more = {}) const {
    std::vector<std::string> command = {CONVOY_BINARY, "train", job_, "--run-dir", folder_ / run};
    command.insert(command.end(), always_.begin(), always_.end());
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  std::string Model(const std::string& run) const {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }
  nlohmann::json Summary(const std::string& run) const {
    return nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  // Every process of the job, at once.
  static void KillAll(Program& program) {
    kill(-program.pid(), SIGKILL);
    program.Signal(SIGKILL);
    program.Wait();
  }
  // Starts the job, and kills it after so many milliseconds, again and again until it ends.
  ProgramResult KillAndResume(const std::string& run, const std::vector<int>& milliseconds,
                              const std::vector<std::string>& more = {}) {
    for (const int delay : milliseconds) {
      Program program(Command(run, {"--resume=auto"}));
      SleepMs(delay);
      KillAll(program);
    }
    std::vector<std::string> last = {"--resume=auto"};
    last.insert(last.end(), more.begin(), more.end());
    return RunProgram(Command(run, last));
  }

  std::vector<std::string> always_;  // arguments of every command
  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_RESUME_FIXTURE_H_
