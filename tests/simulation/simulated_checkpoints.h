// The coordinator's side of checkpoints in a simulation, in one generation: the real
// CheckpointKeeper, orders and answers that travel with delays, and real files.
#ifndef CONVOY_TESTS_SIMULATION_SIMULATED_CHECKPOINTS_H_
#define CONVOY_TESTS_SIMULATION_SIMULATED_CHECKPOINTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/manifest.h"
#include "common/interval_set.h"
#include "launcher/coordinator/checkpoint_keeper.h"
#include "ps/delta_bases.h"
#include "tests/simulation/lossy_disk.h"
#include "tests/testing/simulation.h"

namespace convoy::testing {

class SimulatedCheckpoints {
 public:
  // `options`: its job, mode, servers and start. Checkpoints go to `folder`.
  SimulatedCheckpoints(const SimulationOptions& options, std::string folder, uint64_t every_steps,
                       uint32_t deltas, const LossyDisk* disk);

  // What SimulationOptions::observer is to call.
  void Start(ClusterView cluster);
  // The generation is over: what is still under way is ignored.
  void Stop() { stopped_ = true; }
  uint64_t taken() const { return keeper_->taken(); }
  uint64_t refused() const { return refused_; }
  uint64_t deltas() const { return deltas_; }
  // Step of the newest one that was reported as saved before the disk lost anything; 0: none.
  uint64_t saved() const { return saved_; }

 private:
  struct Server {
    uint64_t order = 0;  // that it follows
    bool write = false;
    DeltaBases bases = {};
  };

  void Tick();
  void Send(uint32_t rank, const v1::SnapshotOrder& order);
  void Publish();
  void Follow(uint32_t rank, const v1::SnapshotOrder& order);
  void WriteIfReached(uint32_t rank);
  void Say(uint32_t rank, const v1::SnapshotState& state);
  void Commit(const CheckpointToCommit& commit);

  const SimulationOptions options_;
  const Placement placement_;
  const std::string folder_;
  const uint64_t every_steps_;
  const uint32_t max_deltas_;
  std::optional<CheckpointKeeper> keeper_;
  ClusterView cluster_;
  std::vector<Server> servers_;
  std::vector<v1::SnapshotOrder> orders_;  // by server
  uint64_t order_ = 0;
  IntervalSet tasks_at_order_;
  uint64_t refused_ = 0;
  const LossyDisk* const disk_;
  uint64_t saved_ = 0;
  CheckpointBase newest_;
  uint64_t deltas_ = 0;  // committed
  bool stopped_ = false;
};

// The newest complete checkpoint in the folder; step 0 if there is none.
// DataLoss: it is damaged.
absl::StatusOr<RestorePoint> NewestCheckpoint(const std::string& folder);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_SIMULATION_SIMULATED_CHECKPOINTS_H_
