#include "launcher/process/admission.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(AdmissionTest, ProcessesThatOutnumberCoresAreTold) {
  EXPECT_EQ(CoresAdvice(1, 1, 1, 2), "");
  EXPECT_EQ(CoresAdvice(1, 2, 1, 2),
            "1 server and 2 workers take turns on 2 cores: more processes will not make this job "
            "faster here");
  EXPECT_EQ(CoresAdvice(1, 1, 1, 1),
            "1 server and 1 worker take turns on 1 core: more processes will not make this job "
            "faster here");
  EXPECT_EQ(CoresAdvice(1, 1, 2, 3), "");
  EXPECT_EQ(CoresAdvice(1, 1, 2, 2),
            "1 server and 1 worker of 2 threads take turns on 2 cores: more processes or threads "
            "will not make this job faster here");
}

TEST(AdmissionTest, TheLineOfMemoryGivesEachKindOfProcess) {
  v1::MemoryReport memory;
  memory.set_server_bytes(30'000'000);
  memory.set_worker_bytes(80'500'000);
  memory.set_host_bytes(191'000'000);
  EXPECT_EQ(MemoryLine(memory),
            "memory: at most about 30.0 MB a server, 80.5 MB a worker, 191.0 MB in all");
  memory.set_available_bytes(7'200'000'000);
  EXPECT_EQ(MemoryLine(memory),
            "memory: at most about 30.0 MB a server, 80.5 MB a worker, 191.0 MB in all; 7.2 GB "
            "available");
  memory.set_without_rows(true);
  EXPECT_EQ(MemoryLine(memory),
            "memory without rows of tables: at most about 30.0 MB a server, 80.5 MB a worker, "
            "191.0 MB in all; 7.2 GB available");
}

v1::Assignment Huge() {
  v1::Assignment assignment;
  v1::Variable& variable = *assignment.add_variables();
  variable.set_name("weight");
  variable.add_shape(int64_t{1} << 38);  // 1 TiB
  v1::Job& job = *assignment.mutable_job();
  job.mutable_training()->set_slices(1);
  job.mutable_cluster()->set_servers(1);
  return assignment;
}

TEST(AdmissionTest, AJobThatIsTooLargeIsRefusedUnlessTheCheckIsOff) {
  v1::Assignment assignment = Huge();
  EXPECT_EQ(AdmitByMemory(assignment, 1, 1).status().code(), absl::StatusCode::kResourceExhausted);
  assignment.mutable_job()->mutable_cluster()->set_memory_check(false);
  const auto report = AdmitByMemory(assignment, 1, 1);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->server_bytes(), uint64_t{2} << 40);
}

TEST(AdmissionTest, ProcessesOnOtherHostsNeedNothingHere) {
  const auto report = AdmitByMemory(Huge(), 0, 0);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->host_bytes(), 0u);
}

}  // namespace
}  // namespace convoy
