#include "tests/testing/cell_counts.h"

#include <gtest/gtest.h>

#include "tests/testing/newest_checkpoint.h"

namespace convoy::testing {

void ExpectAllExamplesInAllCells(const std::string& run, uint64_t examples) {
  const auto checkpoint = NewestCheckpointOf(run);
  ASSERT_NE(checkpoint, nullptr);
  for (size_t v = 0; v < checkpoint->variables().size(); ++v) {
    for (const CheckpointReader::Block& block : checkpoint->blocks(v)) {
      EXPECT_EQ(block.cell->examples, examples) << checkpoint->variables()[v].name;
    }
  }
  for (size_t t = 0; t < checkpoint->tables().size(); ++t) {
    for (uint32_t b = 0; b < 1024; ++b) {
      EXPECT_EQ(checkpoint->bucket_cell(t, b).examples, examples) << "bucket " << b;
    }
  }
}

}  // namespace convoy::testing
