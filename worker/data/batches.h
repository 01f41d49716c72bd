// Which examples belong to which step, slice, task and batch: pure functions of the job's numbers,
// the same in every process. "Positions" are places in an epoch's order, which EpochOrder turns
// into example numbers.
#ifndef CONVOY_WORKER_DATA_BATCHES_H_
#define CONVOY_WORKER_DATA_BATCHES_H_

#include <cstdint>
#include <vector>

namespace convoy {

// [begin, end).
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
  friend bool operator==(const Range&, const Range&) = default;
};

// ---- sync: global batches and slices

// ceil(n / batch_size); batch_size >= 1.
uint64_t StepsPerEpoch(uint64_t n, uint64_t batch_size);

// Positions of one epoch.
struct EpochRange {
  uint64_t epoch = 0;  // from 0
  Range positions;

  friend bool operator==(const EpochRange&, const EpochRange&) = default;
};

// The global batch of step `step` (from 0). The last batch of an epoch is shorter if batch_size
// does not divide n; it is never filled up from the next epoch. n >= 1, batch_size >= 1.
EpochRange BatchRange(uint64_t step, uint64_t n, uint64_t batch_size);

// Slice `slice` of `slices` of a batch of `batch` examples: [floor(slice * batch / slices),
// floor((slice + 1) * batch / slices)), counted from the batch's first example. Empty for some
// slices if batch < slices. slice < slices, slices >= 1, batch * slices < 2^64.
Range SliceRange(uint64_t slice, uint64_t slices, uint64_t batch);

// The positions of a slice in its epoch: SliceRange moved to the batch's place.
Range SlicePositions(uint64_t slice, uint64_t slices, const Range& batch);

// ---- async, ssp: data tasks

// How an epoch is cut into tasks. All at least 1.
struct TaskLayout {
  uint64_t n = 1;                 // examples of an epoch
  uint64_t batch = 1;             // examples of one batch of a task
  uint64_t batches_per_task = 1;  // batches of a task

  uint64_t tasks_per_epoch() const;
};

// One data task: positions of one epoch. `id` is a pure function of (epoch, range), from 1:
// epoch * tasks_per_epoch + index + 1.
struct TaskRange {
  uint64_t id = 0;
  uint64_t epoch = 0;
  Range positions;

  friend bool operator==(const TaskRange&, const TaskRange&) = default;
};

// Task `index` (< tasks_per_epoch) of epoch `epoch`. The last one of an epoch may be shorter.
TaskRange TaskAt(const TaskLayout& layout, uint64_t epoch, uint64_t index);
// The inverse of TaskAt's numbering; id >= 1.
TaskRange TaskWithId(const TaskLayout& layout, uint64_t id);
// Batches of a task of `task` positions: ceil(size / batch).
uint64_t TaskBatches(const Range& task, uint64_t batch);
// Positions of batch `k` (< TaskBatches) of a task. The last one may be shorter.
Range TaskBatch(const Range& task, uint64_t batch, uint64_t k);

// ---- the order of an epoch

// The example at each position of an epoch: SeededPermutation(n, seed, "data order", epoch), or the
// identity when not shuffling. Keeps the epoch used last, 4 bytes an example (none for the
// identity); another epoch, also an earlier one, costs drawing its permutation. One thread.
class EpochOrder {
 public:
  // n < 2^32.
  EpochOrder(uint64_t n, uint64_t seed, bool shuffle) : n_(n), seed_(seed), shuffle_(shuffle) {}

  // Replaces `examples` by the example numbers at `positions` (within [0, n)) of `epoch`.
  void Examples(uint64_t epoch, const Range& positions, std::vector<uint32_t>* examples);

 private:
  const uint64_t n_;
  const uint64_t seed_;
  const bool shuffle_;
  uint64_t cached_epoch_ = 0;
  std::vector<uint32_t> order_;  // of cached_epoch_; empty: none yet
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_BATCHES_H_
