#include "tests/testing/hand_made_cluster.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy::testing {

std::unique_ptr<Program> HandMadeCluster::Start(const std::vector<std::string>& prefix,
                                                const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = prefix;
  command.push_back(options_.program);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return std::make_unique<Program>(command);
}

bool HandMadeCluster::StartServers() {
  const std::vector<std::string> listen = {
      "--listen", options_.listen.empty() ? "127.0.0.1:0" : options_.listen + ":0",
      "--insecure-listen"};
  std::vector<std::string> arguments = {"coordinator", options_.job, "--run-dir", options_.run};
  arguments.insert(arguments.end(), listen.begin(), listen.end());
  coordinator_ = Start(options_.prefix, arguments);
  if (!coordinator_->WaitForOutput("waiting for")) return false;
  const std::string output = coordinator_->Output();
  const size_t begin = output.find("listens on ") + 11;
  address_ = output.substr(begin, output.find_first_of(", \n", begin) - begin);
  for (int rank = 0; rank < 2; ++rank) {
    arguments = {"server", "--coordinator", address_, "--rank", std::to_string(rank)};
    arguments.insert(arguments.end(), listen.begin(), listen.end());
    servers_.push_back(Start(options_.prefix, arguments));
  }
  return true;
}

bool HandMadeCluster::ReplaceCoordinator() {
  coordinator_->Signal(SIGKILL);
  EXPECT_EQ(coordinator_->Wait().exit_code, 128 + SIGKILL);
  coordinator_ = Start(options_.prefix, {"coordinator", options_.job, "--run-dir", options_.run,
                                         "--recover", "--insecure-listen"});
  return coordinator_->WaitForOutput("waiting for");
}

std::unique_ptr<Program> HandMadeCluster::StartWorker(
    int rank, const std::vector<std::string>& prefix) const {
  return Start(prefix, {"worker", "--coordinator", address_, "--rank", std::to_string(rank)});
}

size_t HandMadeCluster::Count(const std::string& kind) const {
  const std::string events = ReadFile(options_.run + "/events.jsonl");
  const std::string text = absl::StrCat("\"kind\":\"", kind, "\"");
  size_t count = 0;
  for (size_t at = 0; (at = events.find(text, at)) != std::string::npos; ++at) ++count;
  return count;
}

double HandMadeCluster::Epoch() const {
  const std::string events = ReadFile(options_.run + "/events.jsonl");
  const std::string text = "\"epoch\":";
  const size_t at = events.rfind(text);
  return at == std::string::npos ? 0 : std::strtod(events.c_str() + at + text.size(), nullptr);
}

bool HandMadeCluster::WaitForEvents(const std::string& kind, size_t count) {
  for (int i = 0; i < 1500 && Count(kind) < count; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Count(kind) >= count;
}

void HandMadeCluster::ExpectAGoodEnd(const std::vector<std::unique_ptr<Program>>& workers) {
  const ProgramResult ended = coordinator_->Wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  for (const auto& worker : workers) {
    const ProgramResult left = worker->Wait();
    EXPECT_EQ(left.exit_code, 0) << left.output;
  }
  for (const auto& server : servers_) EXPECT_EQ(server->Wait().exit_code, 0);
}

}  // namespace convoy::testing
