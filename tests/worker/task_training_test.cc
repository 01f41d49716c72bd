// The loop over data tasks against a real parameter server and a coordinator that is told what to
// say.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/mutex.h"
#include "ps/parameter_service.h"
#include "tests/testing/test_coordinator.h"
#include "tests/worker/one_weight.h"
#include "worker/training.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kTaskJob = 77;
constexpr uint64_t kBatch = 4, kTask = 2 * kBatch, kExamples = 4 * kTask;

class Ones final : public Dataset {
 public:
  int64_t size() const override { return kExamples; }
  int64_t features() const override { return 1; }
  bool sparse() const override { return false; }
  ExampleShape example_shape() const override { return {1, 1, 1}; }
  uint64_t fingerprint() const override { return 1; }
  bool has_labels() const override { return true; }
  float label(int64_t) const override { return 1; }
  void Read(std::span<const uint32_t> indices, Batch* batch) const override {
    batch->size = static_cast<int64_t>(indices.size());
    batch->features = 1;
    batch->dense.Reserve(indices.size());
    for (size_t i = 0; i < indices.size(); ++i) batch->dense[i] = 1;
    batch->labels.assign(indices.size(), 1);
    batch->examples.assign(indices.begin(), indices.end());
  }
};

// Hands out one task after the other until it is to stop.
class TaskCoordinator final : public testing::TrainingCoordinator {
 public:
  TaskCoordinator() : TrainingCoordinator(kTaskJob) { Start(); }
  ~TaskCoordinator() override { Shutdown(); }

  void AskToStop() {
    MutexLock lock(mutex_);
    stops_ = true;
  }
  // What the worker said of tasks and of training; 0: nothing.
  std::vector<uint64_t> completed() const {
    MutexLock lock(mutex_);
    return completed_;
  }
  // ... when it asked for the task after the one that it had begun.
  std::vector<uint64_t> asked_ahead() const {
    MutexLock lock(mutex_);
    return asked_ahead_;
  }
  std::vector<uint64_t> reported() const {
    MutexLock lock(mutex_);
    return reported_;
  }

 private:
  void OnHeartbeat(const v1::HeartbeatRequest&, v1::HeartbeatReply* reply) override {
    absl::SleepFor(absl::Milliseconds(5));
    MutexLock lock(mutex_);
    reply->set_stop_step(stops_ ? 1 : 0);
    reply->set_stop_agreed(stops_);
  }
  grpc::Status NextTask(grpc::ServerContext*, const v1::NextTaskRequest* request,
                        v1::NextTaskReply* reply) override {
    MutexLock lock(mutex_);
    completed_.push_back(request->completed());
    if (request->ahead()) asked_ahead_.push_back(request->completed());
    if (stops_) {
      reply->set_end(!request->ahead());
      return grpc::Status::OK;
    }
    v1::DataTask* const task = reply->mutable_task();
    const uint64_t before = request->completed() + (request->ahead() ? 1 : 0);
    task->set_id(before + 1);
    task->set_begin(before * kTask);
    task->set_end(task->begin() + kTask);
    return grpc::Status::OK;
  }
  grpc::Status Report(grpc::ServerContext*, const v1::ReportRequest* request,
                      v1::ReportReply*) override {
    MutexLock lock(mutex_);
    reported_.push_back(request->part());
    EXPECT_EQ(request->sums().examples(), kTask);
    return grpc::Status::OK;
  }

  mutable Mutex mutex_;
  bool stops_ CONVOY_GUARDED_BY(mutex_) = false;
  std::vector<uint64_t> completed_ CONVOY_GUARDED_BY(mutex_);
  std::vector<uint64_t> asked_ahead_ CONVOY_GUARDED_BY(mutex_);
  std::vector<uint64_t> reported_ CONVOY_GUARDED_BY(mutex_);
};

// A worker that is asked to stop while it computes its batch number `stop_in`. Into `forgotten` go
// the tasks that its server was told to be complete.
void TrainAndStop(const Mode& mode, int stop_in, TaskCoordinator* coordinator,
                  std::vector<uint64_t>* forgotten = nullptr) {
  SumModel model;
  const Ones data;
  const Placement placement = *Placement::Create(model.variables(), /*servers=*/1);

  ServerCore::Options server_options;
  server_options.job_id = kTaskJob;
  server_options.mode = mode;
  server_options.optimizer.set_learning_rate(1);
  const auto service = *ParameterService::Start({});
  auto core = *ServerCore::Create(server_options, placement);
  const Shard& shard = core->shard();
  service->Install(std::move(core));

  ParameterClient::Options options;
  options.job_id = kTaskJob;
  options.servers = {service->address()};
  options.mode = mode;
  options.overlap = mode.kind == Mode::Kind::kAsync;
  const auto parameters = *ParameterClient::Connect(options, placement);

  CoordinatorClient::Options client_options;
  client_options.address = coordinator->address();
  const auto client = *CoordinatorClient::Connect(client_options);
  ASSERT_TRUE(client->Register({}).ok());
  JobSession session(client.get(), {.sync = false, .heartbeat = absl::Milliseconds(10)});

  v1::Assignment assignment;
  assignment.set_world_size(1);
  assignment.mutable_job()->mutable_training()->set_batch_size(kBatch);
  assignment.mutable_job()->mutable_training()->set_slices(1);
  assignment.mutable_job()->mutable_training()->set_epochs(1);
  assignment.mutable_job()->mutable_optimizer()->set_learning_rate(1);
  TrainingData training;
  training.examples = &data;
  training.model = &model;
  training.shuffle = false;
  const auto threads = *ComputeThreads::Start(1);
  Model* const models[] = {&model};
  int batches = 0;
  model.on_train = [&] {
    ++batches;
    // It is asked for its next task while it trains on this one.
    const auto begun = static_cast<size_t>((batches + 1) * kBatch / kTask);
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (coordinator->asked_ahead().size() < begun && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    EXPECT_GE(coordinator->asked_ahead().size(), begun);
    if (batches != stop_in) return;
    coordinator->AskToStop();
    while (session.State().stop_confirmed() == 0) absl::SleepFor(absl::Milliseconds(1));
  };
  const TrainingContext context{assignment, mode,     training, nullptr, nullptr, nullptr,
                                model,      *threads, models,   session, *client};
  const absl::Status status = TrainTasks(context, *parameters);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(batches, stop_in) << "no further batch";
  EXPECT_TRUE(session.SendAll().ok());
  for (uint64_t task = 1; forgotten != nullptr && task <= kExamples / kTask; ++task) {
    if (shard.IsComplete(task)) forgotten->push_back(task);
  }
}

TEST(TaskTrainingTest, ATaskWhoseLastBatchIsDoneWhenTheStopComesIsComplete) {
  for (const char* const name : {"async", "ssp:1", "geo:2"}) {  // geo: one push for each task
    TaskCoordinator coordinator;
    TrainAndStop(*ParseMode(name), /*stop_in=*/4, &coordinator);
    EXPECT_THAT(coordinator.completed(), ElementsAre(0, 0, 1, 2)) << name;
    EXPECT_THAT(coordinator.asked_ahead(), ElementsAre(0, 1)) << name;
    EXPECT_THAT(coordinator.reported(), ElementsAre(1, 2)) << name;
  }
}

// What the coordinator knows to be complete its servers need not remember; not before.
TEST(TaskTrainingTest, ServersAreToldOfEveryTaskThatTheCoordinatorKnowsToBeComplete) {
  for (const char* const name : {"async", "ssp:1"}) {
    TaskCoordinator coordinator;
    std::vector<uint64_t> forgotten;
    TrainAndStop(*ParseMode(name), /*stop_in=*/7, &coordinator, &forgotten);
    // The fourth has begun: the third one was told to the coordinator then.
    EXPECT_THAT(coordinator.asked_ahead(), ElementsAre(0, 1, 2, 3)) << name;
    EXPECT_THAT(forgotten, ElementsAre(1, 2)) << name;
  }
}

TEST(TaskTrainingTest, ATaskWithBatchesLeftWhenTheStopComesIsNot) {
  TaskCoordinator coordinator;
  TrainAndStop(*ParseMode("async"), /*stop_in=*/1, &coordinator);
  EXPECT_THAT(coordinator.completed(), ElementsAre(0, 0));
  EXPECT_THAT(coordinator.reported(), IsEmpty());
}

}  // namespace
}  // namespace convoy
