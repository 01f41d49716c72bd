// The unit of consistency inside a server: one block of a variable, with its current and previous
// version, its optimizer slots, the contributions in progress, the marks of what has been counted,
// and the pulls that wait for it. A cell without values stands for the server itself and counts its
// steps and examples.
#ifndef CONVOY_PS_CELL_H_
#define CONVOY_PS_CELL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "common/aligned_buffer.h"
#include "common/mutex.h"
#include "common/net/exchange.h"
#include "common/optimizers/optimizer.h"
#include "ps/block_sum.h"
#include "ps/buffer_pool.h"
#include "ps/cell_progress.h"
#include "ps/cell_snapshot.h"
#include "ps/consistency.h"
#include "ps/pull_ticket.h"

namespace convoy {

// Thread-safe.
class Cell {
 public:
  struct Options {
    ProgressOptions progress;
    BufferPool* pool = nullptr;            // outlives the cell, like all pointers here
    const Optimizer* optimizer = nullptr;  // null: a cell without values
    double base_learning_rate = 0;         // 0: frozen, the version only advances
    // Relative learning rate after that many examples.
    std::function<double(uint64_t examples)> schedule;
  };

  using Key = PushKey;
  using Pushed = convoy::Pushed;
  using PushResult = convoy::PushResult;
  using Counts = CellCounts;

  enum class Pulled { kReady, kParked, kGone };
  struct PullResult {
    Pulled outcome = Pulled::kReady;
    CellVersion value;     // kReady
    uint64_t current = 0;  // kGone: the cell's version now
  };

  // What tests and checkpoints look at.
  struct State {
    Counts counts;
    std::vector<float> values;
    std::vector<std::vector<float>> slots;
  };

  // `initial`: values at version 0, empty for a cell without values.
  Cell(Options options, const AlignedBuffer& initial);

  // Counts a contribution once. `values` are the gradient, summed over `examples`; empty: none.
  // Pulls that the new version completes are taken off and added to `released`, filled in.
  PushResult Push(const Key& key, uint64_t base_version, const Payload& values, uint64_t examples,
                  std::vector<ParkedPull>* released);
  // The value at `version` (kExactVersion; or kNewestVersion) or the newest. If it is not there
  // yet, `parked()` is called to get a place and the pull is parked.
  PullResult Pull(uint64_t version, const std::function<ParkedPull()>& parked);
  // The newest value.
  CellVersion Newest() const;
  // What the values are held near (optimizer.anchor), copied; empty: they are not.
  Payload Anchors() const;
  // The coordinator has recorded the task as complete.
  void ForgetTask(uint64_t task);
  // Slices that the current step waits for (kRounds).
  std::vector<uint32_t> MissingSlices() const;

  // Arms a snapshot of version `version` (or kSnapshotNow). False: the cell is beyond it.
  bool ArmSnapshot(uint64_t version);
  void DisarmSnapshot();
  // What TakeSnapshot() will have, without values; nullopt: it is not there yet, or nothing is
  // armed.
  std::optional<CellPosition> OutlineSnapshot() const;
  // The cell at the version that was armed, once; nullopt: it is not there yet, or nothing is
  // armed.
  std::optional<BlockSnapshot> TakeSnapshot();
  // Memory for a snapshot of this cell, to be filled and restored.
  BlockSnapshot MakeSnapshot(CellPosition position) const;
  // Makes the cell what it was when the snapshot was taken. Before the first request.
  void Restore(BlockSnapshot snapshot);

  Counts GetCounts() const;
  // Bytes of values that were pushed and pulled, those of copies included.
  uint64_t TrafficBytes() const;
  State GetState() const;

 private:
  BlockSnapshot CopyLocked() const CONVOY_REQUIRES(mutex_);
  // A real update if there are values and the cell is not frozen, otherwise the values stay.
  // `staleness`: by which the learning rate is divided, plus one.
  void AdvanceLocked(const BlockView& sum, uint64_t staleness) CONVOY_REQUIRES(mutex_);
  VersionBuffer UpdateLocked(const BlockView& sum, uint64_t staleness) CONVOY_REQUIRES(mutex_);
  void ReleaseLocked(std::vector<ParkedPull>* released) CONVOY_REQUIRES(mutex_);
  // To be sent.
  CellVersion VersionLocked(uint64_t version, const VersionBuffer& values) const
      CONVOY_REQUIRES(mutex_);

  const Options options_;

  mutable Mutex mutex_;
  CellProgress<BlockSum, BlockAdder> progress_ CONVOY_GUARDED_BY(mutex_);
  VersionBuffer current_ CONVOY_GUARDED_BY(mutex_);
  VersionBuffer previous_ CONVOY_GUARDED_BY(mutex_);  // of version - 1 (kRounds)
  std::vector<AlignedBuffer> slots_ CONVOY_GUARDED_BY(mutex_);
  std::vector<ParkedPull> parked_ CONVOY_GUARDED_BY(mutex_);
  SnapshotState snapshot_ CONVOY_GUARDED_BY(mutex_);
  std::optional<BlockSnapshot> kept_ CONVOY_GUARDED_BY(mutex_);  // the cell has gone on from there
  mutable uint64_t traffic_bytes_ CONVOY_GUARDED_BY(mutex_) = 0;
};

}  // namespace convoy

#endif  // CONVOY_PS_CELL_H_
