#include "ps/shard_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"
#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

// Each becomes a mark in every cell; a number that is believed fills the memory.
TEST(ShardRestoreTest, TasksThatAreCompleteOnOneServerOnlyAreFew) {
  const ScratchFolder folder;
  SampleCheckpoint checkpoint;
  checkpoint.files[1].Tensor("/complete").u64 = {1, uint64_t{1} << 40};
  checkpoint.Write(folder.path());
  const auto reader = CheckpointReader::Open(folder.path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  const TestServer server(TaskOptions({Mode::Kind::kAsync, 0}));
  const absl::Status status =
      RestoreShard(**reader, server.core->placement(), 0, server.core->shard());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("on server 1 the tasks 5 to 1099511627776 are complete"));
}

}  // namespace
}  // namespace convoy::testing
