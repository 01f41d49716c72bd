// Ids whose rows have gone, for delta checkpoints, which say what has changed since an earlier one.
#ifndef CONVOY_PS_TABLE_REMOVED_ROWS_H_
#define CONVOY_PS_TABLE_REMOVED_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace convoy {

// Not thread-safe: used under the bucket's lock.
class RemovedRows {
 public:
  // The row of `id` goes at step `step`, not before that of the last call. When more than `most`,
  // e.g. the rows of the bucket, have gone all are forgotten: the next checkpoint is better
  // complete.
  void Add(uint64_t id, uint64_t step, size_t most);
  // Whether all that went after `step` are remembered.
  bool KnowsSince(uint64_t step) const { return step >= forgotten_; }
  // Ids that went in steps (since, until], ascending; some may have come again.
  std::vector<uint64_t> Between(uint64_t since, uint64_t until) const;
  // Nobody asks for what went at `step` or before any more.
  void Forget(uint64_t step);

 private:
  using Removals = std::vector<std::pair<uint64_t, uint64_t>>;
  // The first one after `step`.
  Removals::const_iterator After(uint64_t step) const;

  Removals removals_;       // step, id; steps ascending
  uint64_t forgotten_ = 0;  // what went until then may be missing
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_REMOVED_ROWS_H_
