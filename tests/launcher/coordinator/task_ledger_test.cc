#include "launcher/coordinator/task_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

// Batches of ceil(4 / 2) = 2 examples, two of them a task: tasks of 4 examples. 10 examples are the
// tasks [0, 4), [4, 8), [8, 10) with ids 1, 2, 3 in the first epoch, and 5 batches.
TrainingPlan MakePlan(uint64_t validation_examples, uint32_t epochs, uint64_t max_steps = 0,
                      uint32_t validate_every_epochs = 1) {
  v1::Job job = MakeJob("async", 1, 2);
  job.mutable_training()->set_slices(2);
  job.mutable_training()->set_batches_per_task(2);
  job.mutable_training()->set_epochs(epochs);
  job.mutable_training()->set_max_steps(max_steps);
  job.mutable_training()->set_validate_every_epochs(validate_every_epochs);
  return TrainingPlan(job, {Mode::Kind::kAsync, 0}, MakeSetup(10, validation_examples).data());
}

std::string Text(const std::optional<v1::DataTask>& task) {
  if (!task) return "none";
  return std::string(task->validation() ? "v" : "t") + std::to_string(task->epoch()) + "[" +
         std::to_string(task->begin()) + "," + std::to_string(task->end()) + ")";
}

// One worker takes and completes everything.
std::vector<std::string> RunAlone(TaskLedger* ledger) {
  std::vector<std::string> taken;
  while (const auto task = ledger->Next(0)) {
    taken.push_back(Text(task));
    EXPECT_TRUE(ledger->Complete(0, task->id()).ok());
  }
  return taken;
}

TEST(TaskLedgerTest, TasksCoverEveryEpochAndIdsCountThroughEpochs) {
  TaskLedger ledger(MakePlan(0, 2), 1);
  std::vector<uint64_t> ids;
  std::vector<std::string> taken;
  while (const auto task = ledger.Next(0)) {
    ids.push_back(task->id());
    taken.push_back(Text(task));
    ASSERT_TRUE(ledger.Complete(0, task->id()).ok());
  }
  EXPECT_THAT(ids, ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(taken, ::testing::ElementsAre("t0[0,4)", "t0[4,8)", "t0[8,10)", "t1[0,4)", "t1[4,8)",
                                            "t1[8,10)"));
  EXPECT_TRUE(ledger.Done());
}

TEST(TaskLedgerTest, ValidationComesBeforeTheNextEpochOnceItsEpochIsComplete) {
  TaskLedger ledger(MakePlan(5, 2), 1);
  // 5 validation examples in 2 slices: [0, 2) and [2, 5).
  EXPECT_THAT(RunAlone(&ledger),
              ::testing::ElementsAre("t0[0,4)", "t0[4,8)", "t0[8,10)", "v0[0,2)", "v0[2,5)",
                                     "t1[0,4)", "t1[4,8)", "t1[8,10)", "v1[0,2)", "v1[2,5)"));
}

TEST(TaskLedgerTest, TrainingGoesOnWhileAnEpochIsNotComplete) {
  TaskLedger ledger(MakePlan(5, 2), 2);
  const auto slow = ledger.Next(1);
  EXPECT_EQ(Text(slow), "t0[0,4)");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(ledger.Complete(0, ledger.Next(0)->id()).ok());
  EXPECT_EQ(Text(ledger.Next(0)), "t1[0,4)");
  ASSERT_TRUE(ledger.Complete(1, slow->id()).ok());
  EXPECT_EQ(Text(ledger.Next(1)), "v0[0,2)");
}

TEST(TaskLedgerTest, TheLastValidationWaitsForAllTraining) {
  TaskLedger ledger(MakePlan(5, 1), 2);
  const auto slow = ledger.Next(1);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(ledger.Complete(0, ledger.Next(0)->id()).ok());
  EXPECT_EQ(Text(ledger.Next(0)), "none");
  EXPECT_FALSE(ledger.Done());
  ASSERT_TRUE(ledger.Complete(1, slow->id()).ok());
  EXPECT_EQ(Text(ledger.Next(0)), "v0[0,2)");
}

TEST(TaskLedgerTest, IsDoneWhenTheLastValidationIsComplete) {
  TaskLedger ledger(MakePlan(5, 1), 2);
  while (true) {
    const auto task = ledger.Next(0);
    if (task->validation()) break;
    ASSERT_TRUE(ledger.Complete(0, task->id()).ok());
  }
  const auto other = ledger.Next(1);
  EXPECT_EQ(Text(ledger.Next(0)), "v0[0,2)");
  EXPECT_EQ(Text(other), "v0[2,5)");
  ASSERT_TRUE(ledger.Complete(0, ledger.Next(0)->id()).ok());
  EXPECT_FALSE(ledger.Done());
  ASSERT_TRUE(ledger.Complete(1, other->id()).ok());
  EXPECT_TRUE(ledger.Done());
}

TEST(TaskLedgerTest, ValidationIdsAreANumberSpaceOfTheirOwn) {
  TaskLedger ledger(MakePlan(5, 2), 1);
  std::set<uint64_t> ids;
  while (const auto task = ledger.Next(0)) {
    EXPECT_EQ((task->id() & kValidationTask) != 0, task->validation());
    EXPECT_TRUE(ids.insert(task->id()).second) << task->id();
    ASSERT_TRUE(ledger.Complete(0, task->id()).ok());
  }
  EXPECT_EQ(ids.size(), 10u);
}

TEST(TaskLedgerTest, ValidateEveryZeroMeasuresOnlyAtTheEnd) {
  TaskLedger ledger(MakePlan(5, 3, 0, /*validate_every_epochs=*/0), 1);
  std::vector<std::string> validations;
  for (const auto& text : RunAlone(&ledger)) {
    if (text[0] == 'v') validations.push_back(text);
  }
  EXPECT_THAT(validations, ::testing::ElementsAre("v2[0,2)", "v2[2,5)"));
}

TEST(TaskLedgerTest, ValidateEveryTwoMeasuresTheSecondAndTheLastEpoch) {
  TaskLedger ledger(MakePlan(1, 3, 0, /*validate_every_epochs=*/2), 1);
  std::vector<std::string> validations;
  for (const auto& text : RunAlone(&ledger)) {
    if (text[0] == 'v') validations.push_back(text);
  }
  // One example for two slices: only one task has something to do.
  EXPECT_THAT(validations, ::testing::ElementsAre("v1[0,1)", "v2[0,1)"));
}

TEST(TaskLedgerTest, MaxStepsHandsOutExactlySoManyBatches) {
  // 7 batches: the 5 of the first epoch, and 2 of the second, which is one task.
  TaskLedger seven(MakePlan(0, 3, 7), 1);
  EXPECT_THAT(RunAlone(&seven),
              ::testing::ElementsAre("t0[0,4)", "t0[4,8)", "t0[8,10)", "t1[0,4)"));
  EXPECT_TRUE(seven.Done());
  TaskLedger three(MakePlan(1, 3, 3), 1);
  EXPECT_THAT(RunAlone(&three), ::testing::ElementsAre("t0[0,4)", "t0[4,6)", "v0[0,1)"));
}

TEST(TaskLedgerTest, ARepeatedRequestGetsTheSameTask) {
  TaskLedger ledger(MakePlan(0, 1), 2);
  const auto task = ledger.Next(0);
  EXPECT_EQ(ledger.Next(0)->id(), task->id());
  ASSERT_TRUE(ledger.Complete(0, 1).ok());
  const auto next = ledger.Next(0);
  ASSERT_TRUE(ledger.Complete(0, 1).ok());
  EXPECT_EQ(ledger.Next(0)->id(), next->id());
  EXPECT_EQ(ledger.remaining(), 2u);
}

TEST(TaskLedgerTest, ATaskOfAnotherWorkerCanNotBeCompleted) {
  TaskLedger ledger(MakePlan(0, 1), 2);
  ledger.Next(0);
  ledger.Next(1);
  const absl::Status status = ledger.Complete(1, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("worker 1 says that it completed task 1, but it holds task 2"));
}

TEST(TaskLedgerTest, AWorkerHoldsTheTaskAfterTheOneThatItHasBegun) {
  TaskLedger ledger(MakePlan(0, 2), 2);
  EXPECT_EQ(ledger.NextAhead(0), std::nullopt) << "it has begun none";
  EXPECT_EQ(ledger.Next(0)->id(), 1u);
  EXPECT_EQ(ledger.NextAhead(0)->id(), 2u);
  EXPECT_EQ(ledger.NextAhead(0)->id(), 2u) << "asked again";
  EXPECT_EQ(ledger.Next(0)->id(), 1u) << "still the one to begin with";
  EXPECT_EQ(ledger.Next(1)->id(), 3u);
  EXPECT_EQ(ledger.Complete(0, 2).code(), absl::StatusCode::kFailedPrecondition) << "before task 1";
  ASSERT_TRUE(ledger.Complete(0, 1).ok());
  EXPECT_EQ(ledger.Next(0)->id(), 2u);
  EXPECT_EQ(ledger.NextAhead(0)->id(), 4u);
}

TEST(TaskLedgerTest, NothingIsHeldAheadWhileSomethingIsToBeMeasured) {
  TaskLedger ledger(MakePlan(5, 3), 2);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(ledger.Complete(0, ledger.Next(0)->id()).ok());
  EXPECT_EQ(Text(ledger.Next(0)), "t0[8,10)");
  EXPECT_EQ(Text(ledger.NextAhead(0)), "t1[0,4)");
  EXPECT_EQ(Text(ledger.Next(1)), "t1[4,8)");
  ASSERT_TRUE(ledger.Complete(0, 3).ok());
  EXPECT_EQ(Text(ledger.NextAhead(0)), "none");
  EXPECT_EQ(Text(ledger.NextAhead(1)), "none");
  ASSERT_TRUE(ledger.Complete(1, 5).ok());
  EXPECT_EQ(Text(ledger.Next(1)), "v0[0,2)");
  ASSERT_TRUE(ledger.Complete(0, 4).ok());
  EXPECT_EQ(Text(ledger.Next(0)), "v0[2,5)");
  EXPECT_EQ(Text(ledger.NextAhead(0)), "t1[8,10)") << "all of it is being measured";
}

TEST(TaskLedgerTest, TheLastTasksAreForThoseWhoAreFreeFirst) {
  TaskLedger ledger(MakePlan(0, 2), 3);  // 6 tasks
  for (uint32_t worker = 0; worker < 3; ++worker) ledger.Next(worker);
  EXPECT_EQ(ledger.NextAhead(0)->id(), 4u) << "three are free, as many as workers";
  EXPECT_EQ(ledger.NextAhead(1), std::nullopt);
  ASSERT_TRUE(ledger.Complete(1, 2).ok());
  EXPECT_EQ(ledger.Next(1)->id(), 5u);
}

TEST(TaskLedgerTest, ASlowWorkerHoldsNothingAheadThatTheOthersWouldDoMeanwhile) {
  TaskLedger ledger(MakePlan(0, 5), 2);  // 15 tasks
  ASSERT_TRUE(ledger.Complete(1, ledger.Next(1)->id()).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ledger.Complete(0, ledger.Next(0)->id()).ok());
  ledger.Next(1);
  // They do five while it does one: 9 are free, then fewer.
  EXPECT_NE(ledger.NextAhead(1), std::nullopt);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ledger.Complete(0, ledger.Next(0)->id()).ok());
  ASSERT_TRUE(ledger.Complete(1, ledger.Next(1)->id()).ok());
  // 4 are free, and they do five while it does one.
  EXPECT_EQ(ledger.NextAhead(1), std::nullopt);
  ledger.Next(0);
  EXPECT_NE(ledger.NextAhead(0), std::nullopt) << "the fast one";
}

TEST(TaskLedgerTest, BothTasksOfAWorkerAreHandedOutAgain) {
  TaskLedger ledger(MakePlan(0, 2), 2);
  ledger.Next(0);
  ledger.NextAhead(0);
  ledger.Next(1);
  ledger.Divide(1);
  std::vector<uint64_t> ids;
  while (const auto task = ledger.Next(0)) {
    ids.push_back(task->id());
    ASSERT_TRUE(ledger.Complete(0, task->id()).ok());
  }
  EXPECT_THAT(ids, ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
}

// Workers that ask ahead or don't, ask again, and are divided anew.
TEST(TaskLedgerTest, EveryTaskIsCompletedOnceWhoeverAsksAhead) {
  constexpr uint64_t kSeed = 20261128;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", round ", round));
    auto workers = static_cast<uint32_t>(1 + random() % 4);
    TaskLedger ledger(MakePlan(random() % 2 * 5, 1 + static_cast<uint32_t>(random() % 6)), workers);
    std::multiset<uint64_t> completed;
    for (int calls = 0; !ledger.Done(); ++calls) {
      ASSERT_LT(calls, 10000) << "no end";
      if (random() % 50 == 0) {
        workers = static_cast<uint32_t>(1 + random() % 4);
        ledger.Divide(workers);
      }
      const auto worker = static_cast<uint32_t>(random() % workers);
      const auto task = ledger.Next(worker);
      if (!task) continue;
      if (!task->validation() && random() % 2 == 0) {
        const auto ahead = ledger.NextAhead(worker);
        if (ahead) ASSERT_FALSE(ahead->validation());
        if (ahead) ASSERT_NE(ahead->id(), task->id());
      }
      if (random() % 2 == 0) continue;
      ASSERT_TRUE(ledger.Complete(worker, task->id()).ok());
      completed.insert(task->id());
    }
    EXPECT_EQ(ledger.remaining(), 0u);
    for (const uint64_t id : completed) EXPECT_EQ(completed.count(id), 1u) << "task " << id;
  }
}

TEST(TaskLedgerTest, ReportsMustSpeakOfTasksThatWereHandedOut) {
  TaskLedger ledger(MakePlan(5, 2), 1);
  ledger.Next(0);
  EXPECT_TRUE(ledger.CheckReport(v1::ReportRequest::TRAIN, 1, 0).ok());
  for (const uint64_t task : {uint64_t{0}, uint64_t{2}, kValidationTask, UINT64_MAX}) {
    EXPECT_EQ(ledger.CheckReport(v1::ReportRequest::TRAIN, task, 0).code(),
              absl::StatusCode::kInvalidArgument)
        << task;
  }
  EXPECT_FALSE(ledger.CheckReport(v1::ReportRequest::TRAIN, 1, 1).ok());
  EXPECT_FALSE(ledger.CheckReport(v1::ReportRequest::VALIDATION, 1, 0).ok());
  EXPECT_FALSE(ledger.CheckReport(v1::ReportRequest::VALIDATION, kValidationTask, 0).ok());
  EXPECT_FALSE(ledger.CheckReport(v1::ReportRequest::VALIDATION, kValidationTask + 3, 1).ok());
  EXPECT_TRUE(ledger.CheckReport(v1::ReportRequest::VALIDATION, kValidationTask + 2, 0).ok());
  // Each task of a validation has a part of the old data, too.
  EXPECT_TRUE(ledger.CheckReport(v1::ReportRequest::VALIDATION_OLD, kValidationTask + 2, 0).ok());
  EXPECT_FALSE(ledger.CheckReport(v1::ReportRequest::VALIDATION_OLD, kValidationTask + 3, 1).ok());
}

// As MakePlan(5, 2), with 3 test examples.
TrainingPlan PlanWithTest() {
  TrainingPlan plan = MakePlan(5, 2);
  plan.test_examples = 3;
  return plan;
}

TEST(TaskLedgerTest, AJobThatGoesOnAfterItsLastTaskMeasuresItsLastEpoch) {
  IntervalSet all, but_the_first;
  all.Add(1, 7);
  but_the_first.Add(2, 7);
  for (const IntervalSet& completed : {all, but_the_first}) {
    TaskLedger ledger(MakePlan(5, 2), 1, completed);
    while (const auto task = ledger.Next(0)) {
      const auto kind =
          task->validation() ? v1::ReportRequest::VALIDATION : v1::ReportRequest::TRAIN;
      const absl::Status checked = ledger.CheckReport(kind, task->id(), task->epoch());
      EXPECT_TRUE(checked.ok()) << Text(task) << ": " << checked;
      ASSERT_TRUE(ledger.Complete(0, task->id()).ok());
    }
    EXPECT_TRUE(ledger.Done());
  }
}

TEST(TaskLedgerTest, TheTestComesOnceAfterAllTraining) {
  TaskLedger ledger(PlanWithTest(), 1);
  std::vector<std::string> taken;
  std::set<uint64_t> ids;
  while (const auto task = ledger.Next(0)) {
    EXPECT_FALSE(ledger.Done());
    EXPECT_EQ((task->id() & kTestTask) != 0, task->test());
    taken.push_back(Text(task) + (task->test() ? " test" : ""));
    ids.insert(task->id());
    ASSERT_TRUE(ledger.Complete(0, task->id()).ok());
  }
  // 3 test examples in 2 slices: [0, 1) and [1, 3).
  EXPECT_THAT(taken, ::testing::ElementsAre("t0[0,4)", "t0[4,8)", "t0[8,10)", "v0[0,2)", "v0[2,5)",
                                            "t1[0,4)", "t1[4,8)", "t1[8,10)", "v1[0,2)", "v1[2,5)",
                                            "v1[0,1) test", "v1[1,3) test"));
  EXPECT_EQ(ids.size(), taken.size());
  EXPECT_TRUE(ledger.Done());
}

TEST(TaskLedgerTest, AReportOnATestTaskMustBeOfKindTestAndComeAfterTheTraining) {
  TaskLedger ledger(PlanWithTest(), 1);
  const auto check = [&](v1::ReportRequest::Kind kind, uint64_t task, uint64_t epoch) {
    return ledger.CheckReport(kind, task, epoch).ok();
  };
  EXPECT_FALSE(check(v1::ReportRequest::TEST, kTestTask + 1, 1));
  RunAlone(&ledger);
  EXPECT_TRUE(check(v1::ReportRequest::TEST, kTestTask + 1, 1));
  EXPECT_TRUE(check(v1::ReportRequest::TEST, kTestTask + 2, 1));
  EXPECT_FALSE(check(v1::ReportRequest::TEST, kTestTask + 3, 1));
  EXPECT_FALSE(check(v1::ReportRequest::TEST, kTestTask + 1, 0));
  EXPECT_FALSE(check(v1::ReportRequest::TEST, kValidationTask + 1, 0));
  EXPECT_FALSE(check(v1::ReportRequest::VALIDATION, kTestTask + 1, 1));
  EXPECT_FALSE(check(v1::ReportRequest::TRAIN, kTestTask + 1, 0));
}

}  // namespace
}  // namespace convoy
