#include "tests/testing/newest_checkpoint.h"

#include <gtest/gtest.h>

#include <utility>

#include "common/checkpoint/checkpoint_directory.h"

namespace convoy::testing {

std::unique_ptr<CheckpointReader> NewestCheckpointOf(const std::string& run) {
  const auto stored = ListCheckpoints(run + "/checkpoints");
  EXPECT_TRUE(stored.ok() && !stored->empty()) << run;
  if (!stored.ok() || stored->empty()) return nullptr;
  auto checkpoint = CheckpointReader::Open(stored->back().path);
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return checkpoint.ok() ? *std::move(checkpoint) : nullptr;
}

}  // namespace convoy::testing
