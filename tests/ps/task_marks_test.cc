#include "ps/task_marks.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(TaskMarksTest, BatchesOfEachTaskAreCountedFromZero) {
  TaskMarks marks;
  EXPECT_EQ(marks.Next(7), 0u);
  marks.Count(7);
  marks.Count(7);
  marks.Count(9);
  EXPECT_EQ(marks.Next(7), 2u);
  EXPECT_EQ(marks.Next(9), 1u);
  EXPECT_EQ(marks.Next(8), 0u);
  EXPECT_EQ(marks.open_tasks(), 2u);
}

TEST(TaskMarksTest, AForgottenTaskTakesNoMemory) {
  TaskMarks marks;
  for (uint64_t task = 1; task <= 100; ++task) {
    marks.Count(task);
    marks.Forget(task);
  }
  marks.Forget(5);
  EXPECT_EQ(marks.open_tasks(), 0u);
}

}  // namespace
}  // namespace convoy
