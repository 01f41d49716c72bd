// Trainings on images of 8 x 8 pixels in four classes, as a user starts them; an epoch is 320 of
// 400 examples.
#ifndef CONVOY_TESTS_INTEGRATION_TRAIN_COMMAND_FIXTURE_H_
#define CONVOY_TESTS_INTEGRATION_TRAIN_COMMAND_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {

class TrainCommandTest : public ::testing::Test {
 protected:
  TrainCommandTest() {
    images_ = WriteToyImages({.examples = 400}, folder_ / "toy");
    WriteJob("epochs: 2 batch_size: 32", "servers: 2 workers: 2");
  }

  void WriteJob(const std::string& training, const std::string& cluster,
                const std::string& more = "") {
    WriteFile(job_,
              "data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" validation { fraction: "
              "0.2 } }\n"
              "model { mlp { hidden: 16 } }\n"
              "optimizer { momentum {} learning_rate: 0.1 }\n"
              "training { " +
                  training + " }\ncluster { " + cluster + " }\n" + more);
  }

  std::vector<std::string> Train(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {CONVOY_BINARY, "train", job_, "--run-dir", run_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  nlohmann::json Summary() const { return nlohmann::json::parse(ReadFile(run_ + "/summary.json")); }

  // Pids of the children named in cluster.json, which appear when they are started.
  std::vector<pid_t> Children() const {
    std::vector<pid_t> pids;
    const nlohmann::json cluster = nlohmann::json::parse(ReadFile(run_ + "/cluster.json"));
    for (const nlohmann::json& process : cluster["processes"]) {
      pids.push_back(process["pid"].get<pid_t>());
    }
    return pids;
  }

  static bool Alive(pid_t pid) {
    const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
    const size_t end = stat.rfind(')');
    return end != std::string::npos && stat[end + 2] != 'Z';
  }

  bool AllGoneSoon() const {
    for (pid_t pid : Children()) {
      for (int i = 0; i < 500 && Alive(pid); ++i) usleep(10000);
      if (Alive(pid)) return false;
    }
    return true;
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
  std::string images_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_TRAIN_COMMAND_FIXTURE_H_
