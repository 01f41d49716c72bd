// A cluster whose processes are started one by one, as on several hosts.
#ifndef CONVOY_TESTS_TESTING_HAND_MADE_CLUSTER_H_
#define CONVOY_TESTS_TESTING_HAND_MADE_CLUSTER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/testing/run_program.h"

namespace convoy::testing {

class HandMadeCluster {
 public:
  struct Options {
    std::string program;  // path of convoy
    std::string job;
    std::string run;     // directory
    std::string listen;  // host; "": loopback
    std::vector<std::string>
        prefix{};  // what a command begins with, e.g. {"ip", "netns", "exec", "a"}
  };

  explicit HandMadeCluster(Options options) : options_(std::move(options)) {}

  // The coordinator, and two servers. Returns whether the coordinator listens.
  bool StartServers();
  // Kills the coordinator; another one goes on in its place. Returns whether it listens.
  bool ReplaceCoordinator();
  // `prefix`: as in the options, which it replaces.
  std::unique_ptr<Program> StartWorker(int rank, const std::vector<std::string>& prefix) const;
  std::unique_ptr<Program> StartWorker(int rank) const {
    return StartWorker(rank, options_.prefix);
  }

  // A worker of no special rank.
  std::unique_ptr<Program> StartAnyWorker() const {
    return Start(options_.prefix, {"worker", "--coordinator", address_});
  }

  const std::string& address() const { return address_; }  // of the coordinator
  Program& coordinator() { return *coordinator_; }
  // Lines of events.jsonl of that kind.
  size_t Count(const std::string& kind) const;
  // How far it is, by the newest event that says so.
  double Epoch() const;
  // False: not within some time.
  bool WaitForEvents(const std::string& kind, size_t count);
  // The coordinator, the servers and these workers end with exit code 0.
  void ExpectAGoodEnd(const std::vector<std::unique_ptr<Program>>& workers);

 private:
  std::unique_ptr<Program> Start(const std::vector<std::string>& prefix,
                                 const std::vector<std::string>& arguments) const;

  const Options options_;
  std::string address_;
  std::unique_ptr<Program> coordinator_;
  std::vector<std::unique_ptr<Program>> servers_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_HAND_MADE_CLUSTER_H_
