// Workers reach servers of their own host through Unix sockets, or through TCP if the job says so.
#include <gtest/gtest.h>

#include <filesystem>
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
  std::string Model() const { return ReadFile(run_ + "/model.safetensors"); }
};

TEST_F(UnixSocketTest, WhatTravelsThroughThemIsWhatTravelsThroughTcp) {
  // It lasts some seconds after its first report.
  WriteJob("epochs: 60 batch_size: 32 report_every_steps: 10", "servers: 2 workers: 2",
           "rehearsal { link: \"2ms\" }");
  std::string models[2];
  for (const bool unix_sockets : {true, false}) {
    SCOPED_TRACE(unix_sockets);
    std::filesystem::remove_all(run_);
    Program program(
        Train({"--set", absl::StrCat("cluster.unix_sockets=", unix_sockets ? "true" : "false")}));
    AwaitTraining(program);
    for (const int server : {0, 1}) {
      EXPECT_EQ(Sockets(server), unix_sockets ? 3u : 0u) << "it listens, and has two workers";
      EXPECT_EQ(absl::StrContains(Log(server), "for workers of this host on a Unix socket"),
                unix_sockets)
          << Log(server);
    }
    const ProgramResult result = program.Wait();
    ASSERT_EQ(result.exit_code, 0) << result.output;
    models[unix_sockets ? 1 : 0] = Model();
  }
  EXPECT_FALSE(models[0].empty());
  EXPECT_TRUE(models[0] == models[1]);
}

}  // namespace
}  // namespace convoy::testing
