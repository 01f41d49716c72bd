#include "worker/models/batch_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::SparseBatch;
using ::testing::HasSubstr;

std::string Refusal(const Batch& batch, bool sparse) {
  const absl::Status status = CheckTrainingBatch(batch, 5, sparse);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(BatchCheckTest, GoodBatchesPass) {
  EXPECT_TRUE(CheckTrainingBatch(DenseBatch(3, 5, 2), 5, false).ok());
  EXPECT_TRUE(CheckTrainingBatch(SparseBatch(3, 5, 2), 5, true).ok());
  EXPECT_TRUE(CheckBatch(DenseBatch(0, 5, 2), 5, false).ok());
}

TEST(BatchCheckTest, BufferLargerThanTheBatchPasses) {
  Batch batch = DenseBatch(3, 5, 2);
  batch.size = 2;
  batch.labels.resize(2);
  EXPECT_TRUE(CheckTrainingBatch(batch, 5, false).ok());
}

TEST(BatchCheckTest, NoExamplesCanNotBeTrainedOn) {
  EXPECT_THAT(Refusal(DenseBatch(0, 5, 2), false), HasSubstr("got 0 examples"));
}

TEST(BatchCheckTest, WrongFeaturesAreNamed) {
  EXPECT_THAT(Refusal(DenseBatch(3, 4, 2), false), HasSubstr("got 4 features, want 5"));
  EXPECT_THAT(Refusal(DenseBatch(3, 5, 2), true), HasSubstr("got dense features, want sparse"));
}

TEST(BatchCheckTest, MissingLabelsAndValuesAreNamed) {
  Batch batch = DenseBatch(3, 5, 2);
  batch.labels.clear();
  EXPECT_THAT(Refusal(batch, false), HasSubstr("got 0 labels, want 3"));
  EXPECT_TRUE(CheckBatch(batch, 5, false).ok());
  batch = DenseBatch(3, 5, 2);
  batch.dense = AlignedBuffer(14);
  EXPECT_THAT(Refusal(batch, false), HasSubstr("got 14 values, want 15"));
}

TEST(BatchCheckTest, BrokenCompressedRowsAreRefused) {
  Batch batch = SparseBatch(3, 5, 2);
  batch.row_offsets.pop_back();
  EXPECT_THAT(Refusal(batch, true), HasSubstr("got 3 row offsets, want 4"));
  batch = SparseBatch(3, 5, 2);
  batch.row_offsets[1] = batch.row_offsets[3] + 1;
  EXPECT_THAT(Refusal(batch, true), HasSubstr("row offsets must rise"));
  batch = SparseBatch(3, 5, 2);
  batch.columns.back() = 5;
  EXPECT_THAT(Refusal(batch, true), HasSubstr("got feature index 5, want less than 5"));
  batch = SparseBatch(3, 5, 2);
  batch.values.pop_back();
  EXPECT_THAT(Refusal(batch, true), HasSubstr("values"));
}

}  // namespace
}  // namespace convoy
