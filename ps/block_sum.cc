#include "ps/block_sum.h"

namespace convoy {

BlockSum BlockAdder::operator()(const BlockSum& left, const BlockSum& right) const {
  const uint64_t examples = left.examples + right.examples;
  if (left.values.empty()) return {right.values, examples};
  if (right.values.empty()) return {left.values, examples};
  const VersionBuffer sum = pool_->Acquire(left.values.size() / sizeof(float));
  float* out = sum->data();
  left.values.CopyTo(out);
  ForEachFloatRun(right.values, [out](const float* values, size_t count, size_t index) {
    float* to = out + index;
    for (size_t i = 0; i < count; ++i) to[i] += values[i];
  });
  return {Payload(*sum, sum), examples};
}

}  // namespace convoy
