#include "tests/simulation/simulated_checkpoints.h"

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/commit_checkpoint.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/status.h"
#include "launcher/coordinator/checkpoint_report.h"
#include "ps/shard_file.h"
#include "ps/shard_restore.h"

namespace convoy::testing {
namespace {

CheckpointKeeper::Options KeeperOptions(const SimulationOptions& options, const std::string& folder,
                                        uint64_t every_steps, uint64_t generation,
                                        uint32_t deltas) {
  CheckpointKeeper::Options keeper;
  keeper.rounds = options.mode.rounds();
  keeper.servers = options.servers;
  keeper.folder = folder;
  keeper.generation = generation;
  keeper.first_step = options.start.first_step;
  keeper.total_steps = options.job.steps;
  keeper.every_steps = every_steps;
  keeper.deltas = deltas;
  return keeper;
}

}  // namespace

SimulatedCheckpoints::SimulatedCheckpoints(const SimulationOptions& options, std::string folder,
                                           uint64_t every_steps, uint32_t deltas,
                                           const LossyDisk* disk)
    : options_(options),
      placement_(*Placement::Create(options.job.variables, options.servers, options.job.tables)),
      folder_(std::move(folder)),
      every_steps_(every_steps),
      max_deltas_(deltas),
      servers_(options.servers),
      orders_(options.servers),
      disk_(disk) {}

void SimulatedCheckpoints::Start(ClusterView cluster) {
  cluster_ = std::move(cluster);
  keeper_.emplace(KeeperOptions(options_, folder_, every_steps_, cluster_.generation, max_deltas_),
                  cluster_.now());
  Tick();
}

// As heartbeats do.
void SimulatedCheckpoints::Tick() {
  if (stopped_) return;
  if (keeper_->Tick(cluster_.now(), cluster_.step())) Publish();
  for (uint32_t rank = 0; rank < servers_.size(); ++rank) WriteIfReached(rank);
  cluster_.after([this] { Tick(); });
}

void SimulatedCheckpoints::Publish() {
  if (order_ != keeper_->order().number()) {
    order_ = keeper_->order().number();
    tasks_at_order_ = cluster_.completed();
  }
  for (uint32_t rank = 0; rank < servers_.size(); ++rank) Send(rank, keeper_->order());
}

// Again, if the server has not got its part yet.
void SimulatedCheckpoints::Send(uint32_t rank, const v1::SnapshotOrder& order) {
  cluster_.after([this, rank, order] {
    if (stopped_) return;
    if (cluster_.server(rank) == nullptr) return Send(rank, order);
    Follow(rank, order);
  });
}

// As SnapshotTaker does, without its thread.
void SimulatedCheckpoints::Follow(uint32_t rank, const v1::SnapshotOrder& order) {
  Server& server = servers_[rank];
  Shard& shard = cluster_.server(rank)->shard();
  if (order.number() < server.order) return;
  if (order.number() == server.order) {
    server.write |= order.write();
    orders_[rank] = order;
    return;
  }
  server.order = order.number();
  server.write = false;
  shard.DisarmSnapshot();
  orders_[rank] = order;
  if (order.folder().empty()) return;
  v1::SnapshotState state;
  state.set_number(order.number());
  state.set_version(shard.ArmSnapshot(order.version()));
  const bool armed = state.version() == order.version();
  state.set_progress(armed ? v1::SnapshotState::ARMED : v1::SnapshotState::REFUSED);
  refused_ += armed ? 0 : 1;
  Say(rank, state);
}

void SimulatedCheckpoints::WriteIfReached(uint32_t rank) {
  Server& server = servers_[rank];
  if (!server.write || cluster_.server(rank) == nullptr) return;
  Shard& shard = cluster_.server(rank)->shard();
  if (!shard.server_cell().OutlineSnapshot()) return;
  server.write = false;
  auto file = WriteShard(shard, placement_, rank, orders_[rank].folder(),
                         server.bases.Find(orders_[rank].base()));
  shard.DisarmSnapshot();
  if (!file.ok()) return cluster_.fail(file.status());
  v1::SnapshotState state;
  state.set_number(server.order);
  state.set_progress(v1::SnapshotState::WRITTEN);
  state.set_version(file->version);
  state.set_file(file->name);
  state.set_bytes(file->bytes);
  state.set_xxh3(file->xxh3);
  state.set_examples(file->examples);
  state.set_delta(file->delta);
  server.bases.Add(server.order, orders_[rank].base(), std::move(file->versions));
  Say(rank, state);
}

void SimulatedCheckpoints::Say(uint32_t rank, const v1::SnapshotState& state) {
  cluster_.after([this, rank, state] {
    if (stopped_) return;
    if (keeper_->OnState(rank, state, cluster_.now())) Publish();
    if (const auto commit = keeper_->TakeCommit()) {
      cluster_.after([this, commit] {
        if (!stopped_) Commit(*commit);
      });
    }
  });
}

void SimulatedCheckpoints::Commit(const CheckpointToCommit& commit) {
  v1::Assignment assignment;
  assignment.set_generation(cluster_.generation);
  assignment.set_slices(options_.job.slices);
  *assignment.mutable_job()->mutable_optimizer() = options_.job.optimizer;
  assignment.mutable_job()->mutable_training()->set_mode(ToString(options_.mode));
  for (const VariableSpec& variable : options_.job.variables) {
    *assignment.add_variables() = ToProto(variable);
  }
  for (const TableSpec& table : options_.job.tables) *assignment.add_tables() = ToProto(table);
  CheckpointManifest manifest =
      DescribeCheckpoint(commit, assignment, {}, tasks_at_order_, nullptr, absl::Now());
  if (commit.delta) manifest.base = newest_;
  const absl::Status status = CommitCheckpoint(folder_, commit.folder, manifest);
  if (!status.ok()) cluster_.fail(status);
  if (disk_->lost()) {
    cluster_.lose_power();
  } else {
    saved_ = manifest.step;
  }
  newest_ = {manifest.step, ChecksumOf(manifest)};
  deltas_ += commit.delta ? 1 : 0;
  if (keeper_->OnCommitted(status.ok(), cluster_.now(), cluster_.step())) Publish();
}

absl::StatusOr<RestorePoint> NewestCheckpoint(const std::string& folder) {
  CONVOY_ASSIGN_OR_RETURN(const auto incomplete, ListIncomplete(folder));
  if (!incomplete.empty()) {
    return absl::InternalError(
        absl::StrCat("what is incomplete has the name of a checkpoint in ", folder));
  }
  CONVOY_ASSIGN_OR_RETURN(const auto stored, ListCheckpoints(folder));
  RestorePoint point;
  if (stored.empty()) return point;
  CONVOY_RETURN_IF_ERROR(VerifyCheckpoint(stored.back().path));
  CONVOY_ASSIGN_OR_RETURN(auto checkpoint, CheckpointReader::Open(stored.back().path));
  const std::shared_ptr<const CheckpointReader> reader = std::move(checkpoint);
  point.first_step = reader->manifest().step;
  for (const auto& [first, last] : reader->manifest().completed_tasks) {
    point.completed.Add(first, last + 1);
  }
  point.restore = [reader](uint32_t rank, ServerCore& server) {
    return RestoreShard(*reader, server.placement(), rank, server.shard());
  };
  return point;
}

}  // namespace convoy::testing
