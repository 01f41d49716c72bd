// Checkpoints of a job of 100 steps and what its servers say of them, for tests of
// CheckpointKeeper.
#ifndef CONVOY_TESTS_LAUNCHER_COORDINATOR_CHECKPOINT_KEEPER_FIXTURE_H_
#define CONVOY_TESTS_LAUNCHER_COORDINATOR_CHECKPOINT_KEEPER_FIXTURE_H_

#include <cstdint>

#include "absl/time/time.h"
#include "launcher/coordinator/checkpoint_keeper.h"
#include "proto/coordinator.pb.h"

namespace convoy {

inline const absl::Time kBegin = absl::FromUnixSeconds(1000);

inline CheckpointKeeper::Options EverySteps(uint64_t every, uint32_t servers = 2) {
  CheckpointKeeper::Options options;
  options.servers = servers;
  options.folder = "/run/checkpoints";
  options.total_steps = 100;
  options.every_steps = every;
  return options;
}

inline v1::SnapshotState Says(const CheckpointKeeper& keeper, v1::SnapshotState::Progress progress,
                              uint64_t version = 0) {
  v1::SnapshotState state;
  state.set_number(keeper.order().number());
  state.set_progress(progress);
  state.set_version(version);
  return state;
}

inline void AllSay(CheckpointKeeper& keeper, v1::SnapshotState::Progress progress, uint64_t version,
                   bool delta = false, uint32_t servers = 2) {
  v1::SnapshotState state = Says(keeper, progress, version);
  state.set_delta(delta);
  for (uint32_t rank = 0; rank < servers; ++rank) keeper.OnState(rank, state, kBegin);
}

}  // namespace convoy

#endif  // CONVOY_TESTS_LAUNCHER_COORDINATOR_CHECKPOINT_KEEPER_FIXTURE_H_
