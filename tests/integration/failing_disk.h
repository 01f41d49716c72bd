// One call of the file system that fails, or takes its time: what a test tells failing_disk.cc,
// which is preloaded into the processes of a job. The test and all processes map the file
// $FAILING_DISK.
#ifndef CONVOY_TESTS_INTEGRATION_FAILING_DISK_H_
#define CONVOY_TESTS_INTEGRATION_FAILING_DISK_H_

#include <atomic>
#include <cstdint>

namespace convoy::testing {

// A call is named like "fsync run/checkpoints/.step-#.g#/server-#-of-#.safetensors.tmp-#-#": the
// function, and the path below `folder` with "#" for each number.
struct FailingDisk {
  static constexpr int kTextBytes = 512;
  char folder[kTextBytes];  // calls on what is below; absolute
  // Empty: none fails, and every call is appended as a line to the file $FAILING_DISK.calls.
  char call[kTextBytes];
  uint64_t at = 0;        // which one of these calls fails, in all processes together; 1: the first
  int error = 0;          // errno; 0: it does not fail
  uint64_t pause_ms = 0;  // before it does what it does
  std::atomic<uint64_t> seen;
  std::atomic<bool> failed;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_FAILING_DISK_H_
