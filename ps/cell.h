// The unit of consistency inside a server: one block of a variable, with its current and previous version, its
// optimizer slots, the contributions in progress, the marks of what has been counted, and the pulls that
// wait for it. A cell without values stands for the server itself and counts its steps and examples.
#ifndef CONVOY_PS_CELL_H_
#define CONVOY_PS_CELL_H_

#include <atomic>
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
#include "common/placement/slice_tree.h"
#include "ps/buffer_pool.h"
#include "ps/consistency.h"
#include "ps/pull_ticket.h"
#include "ps/slice_round.h"
#include "ps/task_marks.h"

namespace convoy {

// Thread-safe.
class Cell {
 public:
  struct Options {
    ConsistencyPolicy policy;
    const SliceTree* tree = nullptr;         // outlives the cell, like all pointers here
    BufferPool* pool = nullptr;
    const Optimizer* optimizer = nullptr;    // null: a cell without values
    double base_learning_rate = 0;           // 0: frozen, the version only advances
    // Relative learning rate after that many examples.
    std::function<double(uint64_t examples)> schedule;
    // Gradient bytes stored by all cells of the server, and how many may be.
    std::atomic<int64_t>* stored_bytes = nullptr;
    int64_t stored_bytes_budget = 0;
  };

  // Which part of the training a contribution is. kRounds: (step, node); kAtOnce: (task, batch).
  struct Key {
    uint64_t step = 0;
    TreeNode node;
    uint64_t task = 0;
    uint64_t batch = 0;
  };

  enum class Pushed {
    kApplied,      // the version has advanced
    kStored,       // waits for other slices
    kDuplicate,    // was counted before; nothing changed
    kGap,          // an earlier step or batch is missing; nothing changed
    kOverBudget,   // out of order and no room to keep it; nothing changed
    kGone,         // sync,backup: the step was complete without it, or counted it before; nothing changed
  };
  struct PushResult {
    Pushed outcome = Pushed::kStored;
    uint64_t expected = 0;    // kGap: the step, or batch of the task, that comes next
    uint64_t staleness = 0;   // kAtOnce and kApplied: updates since the version it was computed from
  };

  enum class Pulled { kReady, kParked, kGone };
  struct PullResult {
    Pulled outcome = Pulled::kReady;
    CellVersion value;        // kReady
    uint64_t current = 0;     // kGone: the cell's version now
  };

  struct Counts {
    uint64_t version = 0;     // steps
    uint64_t updates = 0;     // real ones
    uint64_t examples = 0;
    uint64_t dropped = 0;     // slices that did not count (sync,backup)
  };
  // What tests and checkpoints look at.
  struct State {
    Counts counts;
    std::vector<float> values;
    std::vector<std::vector<float>> slots;
  };

  // `initial`: values at version 0, empty for a cell without values.
  Cell(Options options, const AlignedBuffer& initial);

  // Counts a contribution once. `values` are the gradient, summed over `examples`; empty: none. Pulls that the new
  // version completes are taken off and added to `released`, filled in.
  PushResult Push(const Key& key, uint64_t base_version, const Payload& values, uint64_t examples,
                  std::vector<ParkedPull>* released);
  // The value at `version` (kExactVersion; or kNewestVersion) or the newest. If it is not there yet, `parked()` is called to
  // get a place and the pull is parked.
  PullResult Pull(uint64_t version, const std::function<ParkedPull()>& parked);
  // The newest value.
  CellVersion Newest() const;
  // The coordinator has recorded the task as complete.
  void ForgetTask(uint64_t task);
  // Slices that the current step waits for (kRounds).
  std::vector<uint32_t> MissingSlices() const;

  Counts GetCounts() const;
  State GetState() const;

 private:
  PushResult PushToRoundLocked(const Key& key, const Payload& values, uint64_t examples) CONVOY_REQUIRES(mutex_);
  PushResult PushAtOnceLocked(const Key& key, uint64_t base_version, const Payload& values, uint64_t examples)
      CONVOY_REQUIRES(mutex_);
  // One step: a real update if there are values and the cell is not frozen, otherwise the version only advances.
  // `staleness`: by which the learning rate is divided, plus one.
  void AdvanceLocked(const Payload& sum, uint64_t examples, uint64_t staleness) CONVOY_REQUIRES(mutex_);
  VersionBuffer UpdateLocked(const Payload& sum, uint64_t examples, uint64_t staleness) CONVOY_REQUIRES(mutex_);
  void ReleaseLocked(std::vector<ParkedPull>* released) CONVOY_REQUIRES(mutex_);

  const Options options_;

  mutable Mutex mutex_;
  Counts counts_ CONVOY_GUARDED_BY(mutex_);
  VersionBuffer current_ CONVOY_GUARDED_BY(mutex_);
  VersionBuffer previous_ CONVOY_GUARDED_BY(mutex_);   // of version - 1 (kRounds)
  std::vector<AlignedBuffer> slots_ CONVOY_GUARDED_BY(mutex_);
  SliceRound round_ CONVOY_GUARDED_BY(mutex_);
  TaskMarks marks_ CONVOY_GUARDED_BY(mutex_);
  std::vector<ParkedPull> parked_ CONVOY_GUARDED_BY(mutex_);
};

}  // namespace convoy

#endif  // CONVOY_PS_CELL_H_
