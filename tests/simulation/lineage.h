// A simulated job that saves checkpoints, loses servers, the coordinator and its power, and goes on
// from the newest complete checkpoint, on a disk that loses what was not synced.
#ifndef CONVOY_TESTS_SIMULATION_LINEAGE_H_
#define CONVOY_TESTS_SIMULATION_LINEAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/math/random.h"
#include "tests/simulation/lossy_disk.h"
#include "tests/simulation/simulated_checkpoints.h"
#include "tests/testing/run_program.h"
#include "tests/testing/simulation.h"

namespace convoy::testing {

// The checkpoints of all generations of one schedule. How often they are saved depends on its seed.
class Lineage {
 public:
  // A generation without a checkpoint begins as the first one does, at options.start.
  explicit Lineage(const SimulationOptions& options);

  absl::StatusOr<Simulation::Result> Run() { return Simulation(options_).Run(); }
  uint64_t taken() const;
  uint64_t crashes() const { return crashes_; }  // in which the disk lost something

 private:
  void ArmDisk(uint64_t generation);
  absl::StatusOr<RestorePoint> Newest(uint64_t generation, bool power_failed);
  void Observe(ClusterView cluster);
  std::string Folder() const { return root_ / "checkpoints"; }

  SimulationOptions options_;
  const RestorePoint first_;
  const RandomStream random_;
  const uint64_t every_;  // steps
  const TemporaryFolder root_;
  LossyDisk disk_;
  std::vector<std::unique_ptr<SimulatedCheckpoints>> generations_;
  uint64_t saved_ = 0;  // step of the newest that was reported as saved
  uint64_t crashes_ = 0;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_SIMULATION_LINEAGE_H_
