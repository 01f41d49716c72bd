// A small checkpoint on disk, whole or with something wrong in it.
#ifndef CONVOY_TESTS_COMMON_CHECKPOINT_SAMPLE_CHECKPOINT_H_
#define CONVOY_TESTS_COMMON_CHECKPOINT_SAMPLE_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/manifest.h"

namespace convoy {

// A tensor of a server's file; of the three lists the one that `dtype` says counts.
struct SampleTensor {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  std::vector<float> f32;
  std::vector<uint32_t> u32;
  std::vector<uint64_t> u64;
};

struct SampleFile {
  std::map<std::string, std::string> metadata;
  std::vector<SampleTensor> tensors;

  SampleTensor& Tensor(const std::string& name);
  void Remove(const std::string& name);
};

// A variable "w" of shape [2, 3] with the slots "m" and "v" in the blocks [0:4] and [4:6], a
// variable "b" of one value without slots, and a table "t" with the ranges "bias" (1 column) and
// "factors" (2), and the slots "bias/z", "bias/n", "factors/a" of one column each.
//
// Value i of "w" is i + `shift`, of "m" 10 + i, of "v" 20 + i; "b" is 7. The row of id has the
// weights id + shift, id + 0.25, id + 0.5, the slots -id, -id - 0.25, -id - 0.5, and the counters
// id % 100, 3. Id 77 waits, seen twice, last at step 9. Blocks and buckets have version `step`,
// their number + 1 as updates and 100 times that as examples; the first block of "w" has the mark
// (task 5, batch 2). Each server has counted tasks 1 to 4.
struct SampleOptions {
  uint64_t step = 1200;
  uint32_t servers = 2;
  float shift = 0;
  std::vector<uint64_t> ids = {1, 2, 3, 1000, 123456789};
};

struct SampleCheckpoint {
  CheckpointManifest manifest;  // `files`: filled in by Write
  std::vector<SampleFile> files;

  explicit SampleCheckpoint(const SampleOptions& options = {});

  // Makes it a change of another checkpoint: one that has all rows, and removes none.
  void MakeDeltaOf(const CheckpointBase& base);
  // Writes all files, and the manifest with their names, sizes and checksums, into `folder`, which
  // is made. Fails the test if it can't.
  void Write(const std::string& folder);
};

}  // namespace convoy

#endif  // CONVOY_TESTS_COMMON_CHECKPOINT_SAMPLE_CHECKPOINT_H_
