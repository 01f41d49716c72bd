#include "launcher/process/machine_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/testing/run_program.h"

namespace convoy {
namespace {

using testing::TemporaryFolder;
using testing::WriteFile;

constexpr uint64_t kGiB = uint64_t{1} << 30;

// A machine of 16 GiB with 12 GiB available, as files below a folder.
class MachineMemoryTest : public ::testing::Test {
 protected:
  MachineMemoryTest() {
    Write(
        "/proc/meminfo",
        "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:   12582912 kB\n");
  }

  void Write(const std::string& path, const std::string& contents) {
    const std::filesystem::path file = folder_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    WriteFile(file, contents);
  }

  MachineMemory Read() {
    const auto memory = ReadMachineMemory(folder_.path());
    EXPECT_TRUE(memory.ok()) << memory.status();
    return memory.ok() ? *memory : MachineMemory();
  }

  TemporaryFolder folder_;
};

TEST_F(MachineMemoryTest, WithoutControlGroupsItIsThatOfTheMachine) {
  EXPECT_EQ(Read().total_bytes, 16 * kGiB);
  EXPECT_EQ(Read().available_bytes, 12 * kGiB);
  EXPECT_FALSE(Read().limited);
}

TEST_F(MachineMemoryTest, AGroupOfVersion2LeavesItsLimitWithoutWhatIsUsedAndNotReclaimable) {
  Write("/proc/self/cgroup", "0::/user.slice/job\n");
  Write("/sys/fs/cgroup/user.slice/job/memory.max", "4294967296\n");
  Write("/sys/fs/cgroup/user.slice/job/memory.current", "3221225472\n");
  Write("/sys/fs/cgroup/user.slice/job/memory.stat", "anon 1\ninactive_file 1073741824\n");
  EXPECT_EQ(Read().total_bytes, 4 * kGiB);
  EXPECT_EQ(Read().available_bytes, 2 * kGiB);  // 4 - (3 - 1)
  EXPECT_TRUE(Read().limited);
}

TEST_F(MachineMemoryTest, TheLimitOfAnOuterGroupCountsToo) {
  Write("/proc/self/cgroup", "0::/outer/inner\n");
  Write("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
  Write("/sys/fs/cgroup/outer/memory.max", "1073741824\n");
  Write("/sys/fs/cgroup/outer/memory.current", "0\n");
  EXPECT_EQ(Read().available_bytes, kGiB);
}

TEST_F(MachineMemoryTest, AContainerSeesItsLimitAtTheRoot) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "2147483648\n");
  Write("/sys/fs/cgroup/memory.current", "1073741824\n");
  EXPECT_EQ(Read().available_bytes, kGiB);
}

TEST_F(MachineMemoryTest, GroupsOfVersion1Count) {
  Write("/proc/self/cgroup", "9:cpu:/x\n4:memory:/box\n0::/\n");
  Write("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "3221225472\n");
  Write("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "2147483648\n");
  Write("/sys/fs/cgroup/memory/box/memory.stat", "total_inactive_file 1073741824\n");
  EXPECT_EQ(Read().available_bytes, 2 * kGiB);
}

TEST_F(MachineMemoryTest, AnUnlimitedGroupChangesNothing) {
  Write("/proc/self/cgroup", "4:memory:/box\n");
  Write("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Read().available_bytes, 12 * kGiB);
  EXPECT_FALSE(Read().limited);
}

TEST(MachineMemoryErrorTest, AMissingFileIsAnError) {
  const TemporaryFolder folder;
  EXPECT_EQ(ReadMachineMemory(folder.path()).status().code(), absl::StatusCode::kUnavailable);
}

TEST(MachineMemoryErrorTest, ThisMachineHasMemory) {
  const auto memory = ReadMachineMemory();
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_GT(memory->available_bytes, 0u);
  EXPECT_LE(memory->available_bytes, memory->total_bytes);
}

}  // namespace
}  // namespace convoy
