// How far a cell is: its version, what has been counted, and the contributions that wait for
// others. The same for blocks and for buckets of tables; what a step does to the values is theirs.
#ifndef CONVOY_PS_CELL_PROGRESS_H_
#define CONVOY_PS_CELL_PROGRESS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/net/exchange.h"
#include "common/placement/slice_tree.h"
#include "ps/consistency.h"
#include "ps/slice_round.h"
#include "ps/task_marks.h"

namespace convoy {

// Which part of the training a contribution is. kRounds: (step, node); kAtOnce: (task, batch).
struct PushKey {
  uint64_t step = 0;
  TreeNode node;
  uint64_t task = 0;
  uint64_t batch = 0;
};

enum class Pushed {
  kApplied,     // the version has advanced
  kStored,      // waits for other slices
  kDuplicate,   // was counted before; nothing changed
  kGap,         // an earlier step or batch is missing; nothing changed
  kOverBudget,  // out of order and no room to keep it; nothing changed
  kGone,  // sync,backup: the step was complete without it, or counted it before; nothing changed
};

struct PushResult {
  Pushed outcome = Pushed::kStored;
  uint64_t expected = 0;   // kGap: the step, or batch of the task, that comes next
  uint64_t staleness = 0;  // kAtOnce and kApplied: updates since the version it was computed from
};

struct CellCounts {
  uint64_t version = 0;  // steps
  uint64_t updates = 0;  // real ones
  uint64_t examples = 0;
  uint64_t dropped = 0;  // slices that did not count (sync,backup)
};

// What a checkpoint keeps of how far a cell is.
struct CellPosition {
  CellCounts counts;
  TaskMarks::Marks marks;
};

struct ProgressOptions {
  ConsistencyPolicy policy;
  const SliceTree* tree = nullptr;  // outlives the cell
  // Gradient bytes stored by all cells of the server, and how many may be.
  std::atomic<int64_t>* stored_bytes = nullptr;
  int64_t stored_bytes_budget = 0;
  // Of rows, which have no size known beforehand: so much more, growing with what comes. Null:
  // none.
  const std::atomic<int64_t>* row_budget = nullptr;

  int64_t budget() const {
    return stored_bytes_budget + (row_budget == nullptr ? 0 : row_budget->load());
  }
};

// Not thread-safe: used under the cell's lock. Part: see SliceRound; it has a member `examples`,
// too. A View is a Part or what one can be made of, with `examples` and `bytes()`: a contribution
// that need not be stored is applied without making a Part.
template <typename Part, typename Adder>
class CellProgress {
 public:
  CellProgress(const ProgressOptions& options, Adder adder)
      : options_(options), round_(options.tree, std::move(adder), options.policy.backup) {}

  // Counts a contribution once. If a step is complete with it, `apply(const auto& sum, uint64_t
  // staleness)` is called with a Part or a View to change the values, and then the version
  // advances; `staleness` is that by which the learning rate is scaled (0: not).
  template <typename View, typename Apply>
  PushResult Push(const PushKey& key, uint64_t base_version, const View& part, Apply apply) {
    return options_.policy.apply == ConsistencyPolicy::Apply::kRounds
               ? PushToRound(key, part, apply)
               : PushAtOnce(key, base_version, part, apply);
  }

  // How a pull of `version` (kExactVersion, kAtLeast; or kNewestVersion) is answered now.
  enum class Answer { kCurrent, kPrevious, kLater, kGone };
  Answer AnswerTo(uint64_t version) const {
    using Policy = ConsistencyPolicy::Answer;
    const Policy policy = options_.policy.answer;
    const bool newest =
        policy == Policy::kNewest || policy == Policy::kClockBound || version == kNewestVersion;
    if (newest || version == counts_.version) return Answer::kCurrent;
    if (version > counts_.version) return Answer::kLater;
    if (policy == Policy::kAtLeast) return Answer::kCurrent;
    return has_previous_ && version + 1 == counts_.version ? Answer::kPrevious : Answer::kGone;
  }

  uint64_t version() const { return counts_.version; }
  const CellCounts& counts() const { return counts_; }
  void CountUpdate() { ++counts_.updates; }
  // Slices that the current step waits for (kRounds).
  std::vector<uint32_t> MissingSlices() const { return round_.Missing(); }
  void ForgetTask(uint64_t task) { marks_.Forget(task); }

  // How far the cell is, without contributions in progress.
  CellPosition position() const { return {counts_, marks_.all()}; }
  // Goes on from there. Contributions in progress are forgotten.
  void Restore(CellPosition position) {
    counts_ = position.counts;
    has_previous_ = false;
    marks_.Restore(std::move(position.marks));
    options_.stored_bytes->fetch_sub(static_cast<int64_t>(round_.stored_bytes()));
    round_.Clear();
  }

 private:
  template <typename View, typename Apply>
  PushResult PushToRound(const PushKey& key, const View& part, Apply& apply) {
    if (key.step < counts_.version)
      return {options_.policy.backup > 0 ? Pushed::kGone : Pushed::kDuplicate};
    if (key.step > counts_.version) return {Pushed::kGap, counts_.version};
    if (round_.Has(key.node)) return {Pushed::kDuplicate};
    if (key.node == options_.tree->root()) return ApplyWhole(part, apply);

    const uint32_t lowest = round_.LowestMissing();
    const bool needed_next =
        lowest >= options_.tree->begin(key.node) && lowest < options_.tree->end(key.node);
    const auto size = static_cast<int64_t>(part.bytes());
    if (!needed_next && size > 0 && options_.stored_bytes->load() + size > options_.budget()) {
      return {Pushed::kOverBudget};
    }
    const auto before = static_cast<int64_t>(round_.stored_bytes());
    round_.Add(key.node, Part(part));
    const Part* sum = round_.Complete();
    PushResult result{Pushed::kStored};
    if (sum != nullptr) {
      Advance(*sum, /*staleness=*/0, apply);
      counts_.dropped += options_.policy.backup;
      round_.Clear();
      result.outcome = Pushed::kApplied;
    }
    const int64_t change = static_cast<int64_t>(round_.stored_bytes()) - before;
    if (change != 0) options_.stored_bytes->fetch_add(change);
    return result;
  }

  // The sum over all slices, which supersedes what is stored of them.
  template <typename View, typename Apply>
  PushResult ApplyWhole(const View& sum, Apply& apply) {
    Advance(sum, /*staleness=*/0, apply);
    if (const auto stored = static_cast<int64_t>(round_.stored_bytes()); stored != 0) {
      options_.stored_bytes->fetch_sub(stored);
    }
    round_.Clear();
    return {Pushed::kApplied};
  }

  template <typename View, typename Apply>
  PushResult PushAtOnce(const PushKey& key, uint64_t base_version, const View& part, Apply& apply) {
    const uint64_t next = marks_.Next(key.task);
    if (key.batch < next) return {Pushed::kDuplicate};
    if (key.batch > next) return {Pushed::kGap, next};
    const uint64_t staleness = counts_.version - std::min(base_version, counts_.version);
    // Whoever copies the cell before it changes sees neither the change nor the mark.
    Advance(part, options_.policy.scale_by_staleness ? staleness : 0, apply);
    marks_.Count(key.task);
    return {Pushed::kApplied, 0, staleness};
  }

  template <typename Sum, typename Apply>
  void Advance(const Sum& sum, uint64_t staleness, Apply& apply) {
    apply(sum, staleness);
    counts_.examples += sum.examples;
    ++counts_.version;
    has_previous_ = true;
  }

  const ProgressOptions options_;
  CellCounts counts_;
  bool has_previous_ = false;  // what the version before is: not of a cell that was restored
  SliceRound<Part, Adder> round_;
  TaskMarks marks_;
};

}  // namespace convoy

#endif  // CONVOY_PS_CELL_PROGRESS_H_
