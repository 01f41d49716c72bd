// A worker's data tasks, from a coordinator that is told what to say.
#include "worker/task_source.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "tests/testing/test_coordinator.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;

class Asked final : public testing::TestCoordinator {
 public:
  Asked() { Start(); }
  ~Asked() override {
    LetGo();
    Shutdown();
  }

  // Answers nothing more, until LetGo.
  void Hold() {
    MutexLock lock(mutex_);
    holds_ = true;
  }
  void LetGo() {
    MutexLock lock(mutex_);
    holds_ = false;
    changed_.NotifyAll();
  }
  bool AwaitCalls(int calls) {
    MutexLock lock(mutex_);
    for (int i = 0; calls_ < calls && i < 30; ++i) changed_.WaitFor(mutex_, absl::Seconds(1));
    return calls_ >= calls;
  }

 private:
  // The task after the one after `completed`; none after task 3, an error after task 4.
  grpc::Status NextTask(grpc::ServerContext*, const v1::NextTaskRequest* request,
                        v1::NextTaskReply* reply) override {
    MutexLock lock(mutex_);
    ++calls_;
    changed_.NotifyAll();
    while (holds_) changed_.Wait(mutex_);
    EXPECT_TRUE(request->ahead());
    if (request->completed() == 4)
      return {grpc::StatusCode::FAILED_PRECONDITION, "it is not yours"};
    if (request->completed() < 3) reply->mutable_task()->set_id(request->completed() + 2);
    return grpc::Status::OK;
  }

  Mutex mutex_;
  CondVar changed_;
  bool holds_ CONVOY_GUARDED_BY(mutex_) = false;
  int calls_ CONVOY_GUARDED_BY(mutex_) = 0;
};

std::unique_ptr<CoordinatorClient> ClientOf(const Asked& coordinator) {
  CoordinatorClient::Options options;
  options.address = coordinator.address();
  options.unreachable_after = absl::Hours(1);  // nothing ends by itself
  return *CoordinatorClient::Connect(options);
}

v1::DataTask Task(uint64_t id) {
  v1::DataTask task;
  task.set_id(id);
  return task;
}

TEST(TaskSourceTest, EveryQuestionHasItsOwnAnswerAndTellsWhatIsComplete) {
  Asked coordinator;
  const auto client = ClientOf(coordinator);
  std::vector<uint64_t> known;
  TaskSource tasks(client.get(), [&](uint64_t task) { known.push_back(task); });
  for (uint64_t completed = 0; completed < 3; ++completed) {
    if (completed > 0) tasks.Complete(Task(completed));
    tasks.AskAhead();
    const auto task = tasks.TakeAhead();
    ASSERT_TRUE(task.ok()) << task.status();
    ASSERT_TRUE(task->has_value());
    EXPECT_EQ((*task)->id(), completed + 2);
  }
  EXPECT_THAT(known, ElementsAre(1, 2));
  v1::DataTask validation = Task(3);
  validation.set_validation(true);
  tasks.Complete(validation);
  tasks.AskAhead();
  const auto none = tasks.TakeAhead();
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_FALSE(none->has_value());
  EXPECT_THAT(known, ElementsAre(1, 2)) << "servers know nothing of a validation";
  tasks.Complete(Task(4));
  tasks.AskAhead();
  EXPECT_EQ(tasks.TakeAhead().status().message(), "it is not yours");
  EXPECT_THAT(known, ElementsAre(1, 2)) << "the coordinator has refused it";
}

TEST(TaskSourceTest, TheCoordinatorIsAskedWhileTheWorkerDoesSomethingElse) {
  Asked coordinator;
  const auto client = ClientOf(coordinator);
  coordinator.Hold();
  TaskSource tasks(client.get(), [](uint64_t) {});
  tasks.AskAhead();
  EXPECT_TRUE(coordinator.AwaitCalls(1)) << "nobody has waited for the answer yet";
  std::thread answer([&] {
    absl::SleepFor(absl::Milliseconds(20));
    coordinator.LetGo();
  });
  EXPECT_EQ((*tasks.TakeAhead())->id(), 2u);
  answer.join();
}

// A worker that fails while the coordinator does not answer ends all the same.
TEST(TaskSourceTest, AQuestionThatIsNotAnsweredIsGivenUpAtTheEnd) {
  Asked coordinator;
  const auto client = ClientOf(coordinator);
  coordinator.Hold();
  {
    TaskSource tasks(client.get(), [](uint64_t) {});
    tasks.AskAhead();
    ASSERT_TRUE(coordinator.AwaitCalls(1));
  }
  coordinator.LetGo();
}

}  // namespace
}  // namespace convoy
