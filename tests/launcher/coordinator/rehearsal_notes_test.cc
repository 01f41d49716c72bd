#include "launcher/coordinator/rehearsal_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::RegisterRequest WorkerOfBuild(const char* build) {
  v1::RegisterRequest request;
  request.set_role(v1::WORKER);
  request.set_wanted_rank(-1);
  request.set_host("a");
  request.set_build_id(build);
  request.set_instruction_set(build[0] == '\0' ? "" : "x");
  return request;
}

TEST(RehearsalNotesTest, AWorkerThatIsNotConvoysIsNamedIfSomethingIsRehearsed) {
  Membership members(/*job_id=*/1, /*servers=*/1, /*workers=*/2, absl::FromUnixSeconds(1));
  ASSERT_TRUE(members.Register(WorkerOfBuild("b1"), absl::FromUnixSeconds(1)).ok());
  ASSERT_TRUE(members.Register(WorkerOfBuild(""), absl::FromUnixSeconds(1)).ok());
  v1::Job job;
  EXPECT_THAT(RehearsalNotes(job, members), IsEmpty());
  job.mutable_rehearsal()->set_link("1ms");
  EXPECT_THAT(
      RehearsalNotes(job, members),
      ElementsAre(
          "worker 1 is not a Convoy program: the job's rehearsal does not slow it down, nor "
          "what it sends"));
}

}  // namespace
}  // namespace convoy
