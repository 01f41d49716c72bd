// A whole cluster in one thread: the real server and client cores on a simulated network and clock,
// driven by a seed. Messages are encoded, cut into random pieces, delayed, reordered across
// streams, lost with their stream and sent twice by retries; workers die, or are wrongly thought
// dead, and others take their places; memory that a message has given back is overwritten. The same
// seed gives the same run, event for event. docs/simulation.md says how to write a test with it.
#ifndef CONVOY_TESTS_TESTING_SIMULATION_H_
#define CONVOY_TESTS_TESTING_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/interval_set.h"
#include "common/mode.h"
#include "common/placement/placement.h"
#include "ps/server_core.h"
#include "tests/testing/toy_model.h"
#include "worker/client_core.h"

namespace convoy::testing {

// What a simulated coordinator sees of the cluster.
struct ClusterView {
  std::function<void(std::function<void()>)> after;  // some time later
  std::function<ServerCore&(uint32_t)> server;
  std::function<absl::Time()> now;
  std::function<uint64_t()> step;          // the highest that a worker has begun; batches done
  std::function<IntervalSet()> completed;  // ids of tasks that workers have completed
  std::function<void(const absl::Status&)> fail;
};

struct SimulationOptions {
  uint64_t seed = 1;  // of the schedule
  ToyJob job;
  Mode mode;
  uint32_t servers = 2;
  uint32_t workers = 2;
  uint32_t batches_per_task = 3;  // async, ssp
  double out_of_order_budget = 0.7;
  // Chance that a message takes a stream down with it.
  double stream_loss = 0.02;
  absl::Duration max_delay = absl::Milliseconds(20);
  // Chance that a worker is lost with a reply that it gets: another one takes its place. Half of
  // them have not died, and go on until a server tells them.
  double worker_loss = 0;
  // Worker 0 takes this many times longer than the others for whatever it does.
  double straggler = 1;
  // Keep a line for every event.
  bool keep_log = false;
  // The job goes on: what each server holds when it starts, the first step, the tasks that are
  // done.
  std::function<absl::Status(uint32_t rank, ServerCore& server)> restore{};
  uint64_t first_step = 0;
  IntervalSet completed{};
  // Called before the first event.
  std::function<void(ClusterView)> observer{};
  // Everything is killed after that many events; 0: nothing is.
  uint64_t kill_after = 0;
};

class Simulation {
 public:
  struct Result {
    std::vector<std::vector<float>> weights;  // by variable
    std::vector<ToyRows> tables;              // by table
    std::vector<v1::ServerStats> stats;       // by server
    // By server and cell, the server's own cell last.
    std::vector<std::vector<Cell::Counts>> counts;
    uint64_t events = 0;
    absl::Duration duration;  // by the simulated clock
    uint64_t streams_lost = 0;
    uint64_t workers_lost = 0;
    uint64_t told_of_successor = 0;  // workers that were not dead
    uint64_t log_hash = 0;           // of all events
    std::vector<std::string> log;
    bool killed = false;        // weights, tables and counts are then empty
    uint64_t largest_lead = 0;  // ssp: batches a reader was ahead of the slowest
  };

  explicit Simulation(SimulationOptions options);
  ~Simulation();

  // Runs the job to its end. Internal: an invariant was broken, or nothing could go on; says what
  // and when.
  absl::StatusOr<Result> Run();

 private:
  struct Worker;
  struct Stream;
  struct Event {
    absl::Time at;
    uint64_t number;
    std::function<void()> run;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  void After(absl::Duration delay, std::function<void()> run);
  absl::Duration RandomDelay();
  uint64_t Random(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(random_);
  }
  bool Chance(double p) { return std::bernoulli_distribution(p)(random_); }
  void Log(const std::string& line);
  // The bytes of a message in random pieces, each overwritten when it is released.
  Payload Shred(const std::string& bytes);

  std::unique_ptr<Worker> MakeWorker(uint32_t rank);
  void MakeLogic(Worker& worker, uint64_t first_step);
  void StartWorker(Worker& worker);
  // Another worker takes the place of this one, some time later.
  void Lose(Worker& worker);
  void Rejoin(uint32_t rank);
  void AskServers(Worker& worker);
  void OnRejoinReply(Worker& worker, const ExchangeReply& reply);

  void ReadTables();
  void Observe();
  uint64_t NextTask(uint32_t rank, uint64_t finished);
  void Perform(Worker& worker, const ClientCore::Actions& actions);
  void OpenStream(Worker& worker, uint32_t server);
  void SendToServer(Worker& worker, uint32_t server, const ExchangeRequest& request);
  void SendReplies(uint32_t server, const std::vector<ServerCore::Outgoing>& replies);
  void BreakStream(const std::shared_ptr<Stream>& stream);
  void TickWorker(Worker& worker);
  void TickServers();
  void Fail(const absl::Status& status);

  const SimulationOptions options_;
  const Placement placement_;
  std::mt19937_64 random_;
  absl::Time now_ = absl::UnixEpoch();
  uint64_t next_event_ = 0;
  uint64_t next_stream_ = 1;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<std::unique_ptr<ServerCore>> servers_;
  std::vector<std::unique_ptr<Worker>> workers_;  // by rank
  std::vector<std::unique_ptr<Worker>> lost_;     // those that have another one in their place
  uint64_t incarnations_ = 0;
  std::vector<uint64_t> held_;  // task by rank; 0: none
  std::vector<std::shared_ptr<Stream>> streams_;
  uint64_t next_task_ = 1;                     // of the toy coordinator
  IntervalSet completed_;                      // tasks
  std::vector<std::function<void()>> joined_;  // workers that wait for the others to join
  Result result_;
  absl::Status failure_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_SIMULATION_H_
