#include "worker/data/batches.h"

#include <algorithm>
#include <numeric>

#include "common/math/random.h"

namespace convoy {
namespace {

uint64_t CeilDivide(uint64_t a, uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

// Piece `index` of [0, n) cut into pieces of `size`.
Range Piece(uint64_t index, uint64_t n, uint64_t size) {
  const uint64_t begin = index * size;
  return {begin, begin + std::min(size, n - begin)};
}

}  // namespace

uint64_t StepsPerEpoch(uint64_t n, uint64_t batch_size) { return CeilDivide(n, batch_size); }

EpochRange BatchRange(uint64_t step, uint64_t n, uint64_t batch_size) {
  const uint64_t steps = StepsPerEpoch(n, batch_size);
  return {step / steps, Piece(step % steps, n, batch_size)};
}

Range SliceRange(uint64_t slice, uint64_t slices, uint64_t batch) {
  return {slice * batch / slices, (slice + 1) * batch / slices};
}

Range SlicePositions(uint64_t slice, uint64_t slices, const Range& batch) {
  const Range part = SliceRange(slice, slices, batch.size());
  return {batch.begin + part.begin, batch.begin + part.end};
}

uint64_t TaskLayout::tasks_per_epoch() const { return CeilDivide(n, batch * batches_per_task); }

TaskRange TaskAt(const TaskLayout& layout, uint64_t epoch, uint64_t index) {
  return {epoch * layout.tasks_per_epoch() + index + 1, epoch,
          Piece(index, layout.n, layout.batch * layout.batches_per_task)};
}

TaskRange TaskWithId(const TaskLayout& layout, uint64_t id) {
  const uint64_t tasks = layout.tasks_per_epoch();
  return TaskAt(layout, (id - 1) / tasks, (id - 1) % tasks);
}

uint64_t TaskBatches(const Range& task, uint64_t batch) { return CeilDivide(task.size(), batch); }

Range TaskBatch(const Range& task, uint64_t batch, uint64_t k) {
  const Range part = Piece(k, task.size(), batch);
  return {task.begin + part.begin, task.begin + part.end};
}

void EpochOrder::Examples(uint64_t epoch, const Range& positions, std::vector<uint32_t>* examples) {
  if (!shuffle_) {
    examples->resize(positions.size());
    std::iota(examples->begin(), examples->end(), static_cast<uint32_t>(positions.begin));
    return;
  }
  if (order_.empty() || epoch != cached_epoch_) {
    order_ = {};  // Frees first: one permutation in memory, not two.
    order_ = SeededPermutation(n_, seed_, "data order", epoch);
    cached_epoch_ = epoch;
  }
  examples->assign(order_.begin() + static_cast<int64_t>(positions.begin),
                   order_.begin() + static_cast<int64_t>(positions.end));
}

}  // namespace convoy
