// `convoy status` as a user meets it: of jobs that run, have ended, were killed; and --watch in a
// terminal (tmux).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StatusCommandTest : public ::testing::Test {
 protected:
  StatusCommandTest() {
    WriteToyImages({.examples = 400}, folder_ / "toy");
    WriteFile(job_,
              "name: \"toys\" data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" "
              "validation { fraction: 0.2 } }\n"
              "model { mlp { hidden: 16 } }\noptimizer { learning_rate: 0.1 }\n"
              "training { batch_size: 32 }\ncluster { servers: 2 workers: 2 }\n");
  }

  // So long that it is stopped, not waited for.
  std::vector<std::string> Endless() const {
    return {CONVOY_BINARY, "train", job_,
            "--run-dir",   run_,    "--epochs",
            "1000000",     "--set", "training.validate_every_epochs=50"};
  }
  ProgramResult Status(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {CONVOY_BINARY, "status", run_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments);
  }
  // Asks again until the answer has `text`.
  ProgramResult StatusWith(const std::string& text) const {
    ProgramResult result;
    for (int i = 0; i < 300; ++i) {
      result = Status();
      if (result.output.find(text) != std::string::npos) break;
      SleepMs(100);
    }
    return result;
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
};

TEST_F(StatusCommandTest, OfARunningJobItShowsEveryProcessAndAfterItsEndHowItEnded) {
  Program job(Endless());
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  StatusWith("validation at step");
  const ProgramResult running = StatusWith("MB/s");  // from the second look at the counters on
  EXPECT_EQ(running.exit_code, 0) << running.output;
  for (const char* text : {"toys  sync", "training, epoch ", "/1000000, step ", " left",
                           "training    loss", "examples/s", "  worker", "  server", "waiting",
                           "memory", "CPU", "MB/s", "validation at step"}) {
    EXPECT_THAT(running.output, HasSubstr(text));
  }
  job.Signal(SIGINT);
  EXPECT_EQ(job.Wait().exit_code, 130);
  const ProgramResult ended = Status();
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.output, HasSubstr("was stopped early"));
  EXPECT_THAT(ended.output, HasSubstr("peak memory"));
  EXPECT_THAT(ended.output, HasSubstr("checkpoint at step"));
}

TEST_F(StatusCommandTest, ASlowWorkerIsNamed) {
  std::vector<std::string> command = Endless();
  command.insert(command.end(), {"--mode", "async", "--slow-worker", "1=20x", "--set",
                                 "cluster.heartbeat_ms=100"});
  Program job(command);
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  EXPECT_THAT(StatusWith("warning: worker 1 needs").output,
              HasSubstr("times as long for an example as the other workers"));
  EXPECT_TRUE(job.WaitForOutput("warning: worker 1 needs"))
      << "the log says it without being asked";
}

TEST_F(StatusCommandTest, AKilledRunIsSaidToBeKilled) {
  {
    Program job(Endless());
    ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  }  // SIGKILL for all of them
  const ProgramResult killed = StatusWith("was killed");
  EXPECT_EQ(killed.exit_code, 0);
  EXPECT_THAT(killed.output, HasSubstr("was killed: nobody wrote how it ended"));
  EXPECT_THAT(killed.output, HasSubstr("training    loss"));
}

TEST_F(StatusCommandTest, WithinOneProcessItWorksAlike) {
  std::vector<std::string> command = Endless();
  command.insert(command.end(), {"--mode", "single"});
  Program job(command);
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  EXPECT_THAT(StatusWith("training, epoch").output, HasSubstr("toys  single"));
}

TEST_F(StatusCommandTest, ACoordinatorStartedByHandIsFound) {
  Program coordinator({CONVOY_BINARY, "coordinator", job_, "--run-dir", run_});
  ASSERT_TRUE(coordinator.WaitForOutput("waiting for")) << coordinator.Output();
  const ProgramResult starting = Status();
  EXPECT_EQ(starting.exit_code, 0) << starting.output;
  EXPECT_THAT(starting.output, HasSubstr("waiting for server 0 (never registered)"));
}

TEST_F(StatusCommandTest, WhatIsNoRunIsRefused) {
  const ProgramResult none = Status();
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("there is no folder"));
  std::filesystem::create_directory(run_);
  const ProgramResult empty = Status();
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.output, HasSubstr("there is no run in"));
}

TEST_F(StatusCommandTest, WatchingNeedsATerminal) {
  std::filesystem::create_directory(run_);
  WriteFile(run_ + "/job.textproto", ReadFile(job_));
  const ProgramResult result = Status({"--watch"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("--watch needs a terminal"));
}

// A shell in a terminal of tmux, on a server of its own.
class Terminal {
 public:
  explicit Terminal(const TemporaryFolder& folder) : socket_(folder / "tmux") {
    Tmux({"-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "env", "-u", "NO_COLOR",
          "PS1=ready> ", "sh"});
  }
  ~Terminal() { Tmux({"kill-server"}); }

  void Type(const std::string& text) { Tmux({"send-keys", "-l", text}); }
  void Press(const std::string& key) { Tmux({"send-keys", key}); }
  void Resize(const std::string& width, const std::string& height) {
    Tmux({"resize-window", "-x", width, "-y", height});
  }
  std::string Screen() { return Tmux({"capture-pane", "-p"}); }
  // The screen, once it has `text`, or after a long time.
  std::string WaitFor(const std::string& text) {
    std::string screen;
    for (int i = 0; i < 600; ++i) {
      screen = Screen();
      if (screen.find(text) != std::string::npos) break;
      SleepMs(50);
    }
    EXPECT_THAT(screen, HasSubstr(text));
    return screen;
  }

 private:
  std::string Tmux(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"tmux", "-S", socket_});
    return RunProgram(arguments).output;
  }
  const std::string socket_;
};

size_t LongestLine(const std::string& screen) {
  size_t longest = 0, length = 0;
  for (const char c : screen) longest = std::max(longest, length = c == '\n' ? 0 : length + 1);
  return longest;
}

class WatchTest : public StatusCommandTest {
 protected:
  void Watch(Terminal& terminal) {
    terminal.WaitFor("ready>");
    terminal.Type("echo before; '" CONVOY_BINARY "' status " + run_ +
                  " --watch; echo left with $?");
    terminal.Press("Enter");
  }
};

TEST_F(WatchTest, FillsTheScreenFollowsItsSizeAndGivesItBack) {
  Program job(Endless());
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  Terminal terminal(folder_);
  Watch(terminal);
  const std::string wide = terminal.WaitFor("  worker");
  EXPECT_THAT(wide, HasSubstr("toys  sync"));
  EXPECT_THAT(wide, HasSubstr("q leaves; the job goes on"));
  EXPECT_THAT(wide, Not(HasSubstr("ready>"))) << "a screen of its own";
  EXPECT_GT(LongestLine(wide), 60u);

  terminal.Resize("50", "16");
  std::string narrow;
  for (int i = 0; i < 600 && (narrow.empty() || LongestLine(narrow) > 50 ||
                              narrow.find("q leaves") == std::string::npos);
       ++i) {
    narrow = terminal.Screen();
  }
  EXPECT_LE(LongestLine(narrow), 50u) << narrow;
  EXPECT_THAT(narrow, HasSubstr("toys  sync"));
  EXPECT_THAT(narrow, HasSubstr("q leaves")) << "in the last line, which moved";

  terminal.Resize("120", "40");
  terminal.Type("q");
  const std::string after = terminal.WaitFor("left with 0");
  EXPECT_THAT(after, HasSubstr("before")) << "what was there is there again";
  EXPECT_THAT(after, Not(HasSubstr("q leaves;")));
  terminal.Type("stty -a | tr ';' '\\n' | tr ' ' '\\n' | grep -x -e icanon -e echo | tr '\\n' '+'");
  terminal.Press("Enter");
  const std::string settings = terminal.WaitFor("+ready>");
  EXPECT_THAT(settings, HasSubstr("icanon+echo+"));
}

TEST_F(WatchTest, ShowsTheEndOfTheJobAndCtrlCLeaves) {
  Program job(Endless());
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  Terminal terminal(folder_);
  Watch(terminal);
  terminal.WaitFor("training, epoch");
  job.Signal(SIGINT);
  EXPECT_EQ(job.Wait().exit_code, 130);
  terminal.WaitFor("was stopped early");
  terminal.Press("C-c");
  terminal.WaitFor("left with 0");
}

}  // namespace
}  // namespace convoy::testing
