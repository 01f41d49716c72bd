// Workers reach servers of their own host through Unix sockets, with memory that they share beside
// them, or through TCP if the job says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/train_command_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

class UnixSocketTest : public TrainCommandTest {
 protected:
  void AwaitTraining(Program& program) const {
    for (int i = 0; i < 3000 && !Trains(); ++i) SleepMs(10);
    ASSERT_TRUE(Trains()) << program.Output();
  }
  bool Trains() const {
    return absl::StrContains(ReadFile(run_ + "/events.jsonl"), "\"kind\":\"train\"");
  }
  std::string Log(int server) const {
    return ReadFile(absl::StrCat(run_, "/logs/server-", server, ".log"));
  }
  // host:port that it said it listens on.
  std::string AddressOf(int server) const {
    const std::string log = Log(server), text = "listens on ";
    const size_t begin = log.find(text) + text.size();
    return log.substr(begin, log.find_first_of(", \n", begin) - begin);
  }
  // Sockets of the system with that server's name: the one that listens, and its ends of others.
  size_t Sockets(int server) const {
    const std::string end = absl::StrCat("@convoy ", AddressOf(server));
    size_t count = 0;
    for (const absl::string_view line : absl::StrSplit(ReadFile("/proc/net/unix"), '\n')) {
      count += absl::EndsWith(line, end) ? 1 : 0;
    }
    return count;
  }
  // What a process shares with others, one number for each: kilobytes that it has touched.
  std::vector<int> SharedKilobytes(const std::string& role) const {
    const nlohmann::json cluster = nlohmann::json::parse(ReadFile(run_ + "/cluster.json"));
    std::vector<int> kilobytes;
    for (const nlohmann::json& process : cluster["processes"]) {
      if (process["role"] != role) continue;
      const std::string maps =
          ReadFile(absl::StrCat("/proc/", process["pid"].get<int>(), "/smaps"));
      const std::vector<std::string> parts = absl::StrSplit(maps, "/memfd:convoy");
      for (size_t i = 1; i < parts.size(); ++i) {
        const size_t rss = parts[i].find("Rss:");
        kilobytes.push_back(std::stoi(parts[i].substr(rss + 4)));
      }
    }
    return kilobytes;
  }
  std::string Model() const { return ReadFile(run_ + "/model.safetensors"); }
};

TEST_F(UnixSocketTest, WhatTravelsThroughThemIsWhatTravelsThroughTcp) {
  // It lasts some seconds after its first report.
  WriteJob("epochs: 60 batch_size: 32 report_every_steps: 10", "servers: 2 workers: 2",
           "rehearsal { link: \"2ms\" }");
  struct Way {
    std::string setting;
    bool unix_sockets, shares;
    std::string model;
  };
  std::vector<Way> ways = {{"cluster.unix_sockets=true", true, true, ""},
                           {"cluster.shared_memory=false", true, false, ""},
                           {"cluster.unix_sockets=false", false, false, ""}};
  for (Way& way : ways) {
    SCOPED_TRACE(way.setting);
    std::filesystem::remove_all(run_);
    // Weights of more than SharedMemory::kMinBytes for either server.
    Program program(Train({"--set", way.setting, "--set", "model.mlp.hidden=200"}));
    AwaitTraining(program);
    for (const int server : {0, 1}) {
      EXPECT_EQ(Sockets(server), way.unix_sockets ? 3u : 0u) << "it listens, and has two workers";
      EXPECT_EQ(absl::StrContains(Log(server), "for workers of this host on a Unix socket"),
                way.unix_sockets)
          << Log(server);
      EXPECT_EQ(absl::StrContains(Log(server), "and in memory that they share"), way.shares)
          << Log(server);
    }
    for (const char* role : {"server", "worker"}) {
      const std::vector<int> shared = SharedKilobytes(role);
      EXPECT_EQ(shared.size(), way.shares ? 4u : 0u) << "each of two with each of two";
      // A page of its own, and what values have been in.
      EXPECT_EQ(std::ranges::count_if(shared, [](int n) { return n > 4; }), way.shares ? 4 : 0);
    }
    const ProgramResult result = program.Wait();
    ASSERT_EQ(result.exit_code, 0) << result.output;
    way.model = Model();
  }
  EXPECT_FALSE(ways[0].model.empty());
  EXPECT_TRUE(ways[0].model == ways[1].model);
  EXPECT_TRUE(ways[0].model == ways[2].model);
}

}  // namespace
}  // namespace convoy::testing
