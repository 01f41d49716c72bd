#include "ps/snapshot_taker.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

// The thread has taken the order, but not armed the snapshot yet, when it is withdrawn: copying the
// long name takes it that long.
TEST(SnapshotTakerTest, NothingStaysArmedOfAnOrderThatIsWithdrawnAtOnce) {
  TestServer server(TaskOptions({Mode::Kind::kAsync, 0}));
  const std::shared_ptr<ServerCore> core = std::move(server.core);
  v1::SnapshotOrder order, withdrawn;
  order.set_number(1);
  order.set_version(kSnapshotNow);
  order.set_folder(std::string(size_t{16} << 20, 'x'));
  withdrawn.set_number(2);
  for (int trial = 0; trial < 20; ++trial) {
    {
      SnapshotTaker taker(core, [] {});
      taker.Follow(order);
      absl::SleepFor(absl::Microseconds(100 * trial));
      taker.Follow(withdrawn);
    }
    ASSERT_FALSE(core->shard().server_cell().OutlineSnapshot().has_value()) << trial;
  }
}

}  // namespace
}  // namespace convoy::testing
