// Gradients of one block, summed over some slices.
#ifndef CONVOY_PS_BLOCK_SUM_H_
#define CONVOY_PS_BLOCK_SUM_H_

#include <cstddef>
#include <cstdint>

#include "common/net/payload.h"
#include "ps/buffer_pool.h"
#include "ps/slice_round.h"

namespace convoy {

// Values over the slices of a tree node, and how many examples they stand for. Empty values are "no
// gradient", which is not the same as zeros: x + nothing has exactly the bits of x.
struct BlockSum {
  Payload values;
  uint64_t examples = 0;

  size_t bytes() const { return values.size(); }
};

// The same of one contribution, by reference: most are applied without being stored.
struct BlockView {
  const Payload& values;
  uint64_t examples;

  size_t bytes() const { return values.size(); }
  explicit operator BlockSum() const { return {values, examples}; }
};

// left + right, element by element, in a buffer of the pool, which outlives the adder.
class BlockAdder {
 public:
  explicit BlockAdder(BufferPool* pool) : pool_(pool) {}
  BlockSum operator()(const BlockSum& left, const BlockSum& right) const;

 private:
  BufferPool* pool_;
};

using BlockRound = SliceRound<BlockSum, BlockAdder>;

}  // namespace convoy

#endif  // CONVOY_PS_BLOCK_SUM_H_
