// A whole cluster in one thread: the real server and client cores on a simulated network and clock,
// driven by a seed. Messages are encoded, cut into random pieces, delayed, reordered across
// streams, lost with their stream and sent twice by retries; workers are cut off from servers for a
// while; workers die, or are wrongly thought dead, and others take their places; servers and the
// coordinator die, and all begin a new generation from the newest checkpoint, with other workers,
// while processes of the old one are still about; memory that a message has given back is
// overwritten. The same seed gives the same run, event for event. docs/simulation.md says how to
// write a test with it.
#ifndef CONVOY_TESTS_TESTING_SIMULATION_H_
#define CONVOY_TESTS_TESTING_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/interval_set.h"
#include "common/mode.h"
#include "common/placement/placement.h"
#include "ps/server_core.h"
#include "tests/testing/event_queue.h"
#include "tests/testing/simulated_network.h"
#include "tests/testing/toy_model.h"
#include "worker/client_core.h"

namespace convoy::testing {

// What a simulated coordinator sees of the cluster, in one generation.
struct ClusterView {
  uint64_t generation = 1;
  std::function<void(std::function<void()>)> after;  // some time later
  // Null: it has not entered the generation yet, or has left it.
  std::function<ServerCore*(uint32_t)> server;
  std::function<absl::Time()> now;
  std::function<uint64_t()> step;          // the highest that a worker has begun; batches done
  std::function<IntervalSet()> completed;  // ids of tasks that workers have completed
  std::function<void(const absl::Status&)> fail;
  std::function<void()> lose_power;  // all processes die now
};

// Where a generation begins.
struct RestorePoint {
  uint64_t first_step = 0;
  IntervalSet completed{};  // tasks that are done
  // What each server holds when it starts; null: the first weights.
  std::function<absl::Status(uint32_t rank, ServerCore& server)> restore{};
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
  // Chance that a partition begins with a message. A worker that is cut off from all servers may be
  // thought dead.
  double partition = 0;
  // So many times a server or the coordinator is lost, the power fails, or the number of workers is
  // changed: each at some event, up to `restart_within` after the generation has begun.
  uint32_t restarts = 0;
  uint64_t restart_within = 500;
  // Modes with steps, without tables: gradients are sent as soon as the weights that they need are
  // there.
  bool overlaps = false;
  // Worker 0 takes this many times longer than the others for whatever it does.
  double straggler = 1;
  // Keep a line for every event.
  bool keep_log = false;
  // The first generation begins here.
  RestorePoint start{};
  // Where the others begin; null: at step 0. `power_failed`: everything has died at once.
  std::function<absl::StatusOr<RestorePoint>(uint64_t generation, bool power_failed)> newest{};
  // Called before the first event of each generation.
  std::function<void(ClusterView)> observer{};
  // Everything is killed after that many events; 0: nothing is.
  uint64_t kill_after = 0;
};

class Simulation {
 public:
  struct Result {
    std::vector<std::vector<float>> weights;  // by variable
    std::vector<ToyRows> tables;              // by table
    // What workers were told of optimizer.anchor, the same each time: by cell, and by table and id.
    std::map<uint32_t, std::vector<float>> anchors;
    std::vector<ToyRows> row_anchors;
    std::vector<v1::ServerStats> stats;  // by server
    // By server and cell, the server's own cell last.
    std::vector<std::vector<Cell::Counts>> counts;
    size_t open_tasks = 0;  // of which a cell still has marks, at most
    uint64_t events = 0;
    absl::Duration duration;  // by the simulated clock
    uint64_t streams_lost = 0;
    uint64_t workers_lost = 0;
    uint64_t told_of_successor = 0;  // workers that were not dead
    uint64_t partitions = 0;
    uint64_t generations = 1;
    uint64_t resized = 0;    // generations with another number of workers than the one before
    uint64_t went_back = 0;  // generations that began later than at step 0
    uint64_t refused_old = 0, refused_new = 0;  // requests of other generations than the server's
    uint64_t log_hash = 0;                      // of all events
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
  struct Server {
    std::unique_ptr<ServerCore> core;  // null: it is down, or has no part yet
    bool is_up = true;
    std::map<uint32_t, uint64_t> sessions{};  // the newest that the core has heard of, by rank
  };
  enum class Cause { kServer, kCoordinator, kPower, kResize };

  SimulatedNetwork::Ends NetworkEnds();
  void Log(const std::string& line);
  void Fail(const absl::Status& status);
  absl::Status LoadServer(uint32_t rank);
  bool AllDone() const;
  void CheckAnchors(const std::string& of, const std::vector<float>& now,
                    std::vector<float>* known);
  void ReadWeights();
  void ReadTables();
  void Observe();
  uint64_t NextTask(uint32_t rank, uint64_t finished);
  uint64_t LeadOf(const Worker& reader) const;

  std::unique_ptr<Worker> MakeWorker(uint32_t rank);
  void MakeLogic(Worker& worker, uint64_t first_step);
  void StartWorker(Worker& worker);
  // It does nothing any more.
  void Kill(Worker& worker);
  // Another worker takes the place of this one, some time later.
  void Lose(Worker& worker, bool dies);
  void Rejoin(uint32_t rank);
  void AskServers(Worker& worker);
  void OnRejoinReply(Worker& worker, const ExchangeReply& reply);

  // Another generation begins, some time later (simulation_generations.cc).
  void Restart(Cause cause);
  void DrawNextRestart();
  void BeginGeneration(bool power_failed);
  void EnterGeneration(uint32_t server);
  void EndServer(uint32_t rank);

  void Perform(Worker& worker, const ClientCore::Actions& actions);
  void OnRequest(uint64_t stream, uint32_t server, const ExchangeRequest& request);
  void OnReply(Worker& worker, uint32_t server, const ExchangeReply& reply);
  void CheckFence(uint32_t server, const ExchangeRequest& request,
                  const std::vector<ServerCore::Outgoing>& replies);
  void CheckGone(uint32_t server, const ExchangeRequest& request,
                 const std::vector<ServerCore::Outgoing>& replies);
  void TickWorker(Worker& worker);
  void TickServers();
  void CheckBounds(const ServerCore& server);

  const SimulationOptions options_;
  const Placement placement_;
  EventQueue events_;
  SimulatedNetwork network_;
  std::vector<Server> servers_;
  std::vector<std::unique_ptr<Worker>> workers_;  // by rank
  std::vector<std::unique_ptr<Worker>> lost_;     // those that have another one in their place
  std::vector<Worker*> processes_;                // of workers, by number - 1
  std::vector<uint64_t> held_;                    // task by rank; 0: none
  std::vector<uint64_t> last_completed_;          // task by rank; 0: none
  uint64_t next_task_ = 1;                        // of the toy coordinator
  IntervalSet completed_;                         // tasks
  std::vector<std::function<void()>> joined_;     // workers that wait for the others to join

  uint64_t generation_ = 1;
  RestorePoint point_;          // where it began
  bool is_restarting_ = false;  // it has not begun yet
  bool power_fails_ = false;
  uint32_t restarts_left_;
  uint64_t next_restart_ = 0;  // event

  Result result_;
  absl::Status failure_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_SIMULATION_H_
