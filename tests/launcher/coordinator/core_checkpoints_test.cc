// What checkpoints say of the job, how it goes on from one, and the best one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using Tasks = std::vector<std::pair<uint64_t, uint64_t>>;

constexpr auto kFailedToWrite = v1::SnapshotState::FAILED_TO_WRITE;
constexpr auto kWritten = v1::SnapshotState::WRITTEN;

CoordinatorCore::Options WithCheckpoints(const v1::Job& job) {
  CoordinatorCore::Options options;
  options.job = job;
  options.job.mutable_checkpoint()->set_every_seconds(0);
  options.checkpoints = "/run/checkpoints";
  return options;
}

// Tasks of one batch of 4.
v1::Job AsyncJob(uint32_t epochs) {
  v1::Job job = MakeJob("async", 1, 1);
  job.mutable_training()->set_batches_per_task(1);
  job.mutable_training()->set_epochs(epochs);
  return job;
}

// The checkpoint of `step` that a job of MakeSetup has left.
CheckpointManifest LeftAt(uint64_t step, const std::string& mode) {
  CheckpointManifest manifest;
  manifest.step = step;
  manifest.generation = 3;
  manifest.variables = {{"weight", {3}}};
  manifest.data_fingerprint = 5;
  manifest.mode = mode;
  manifest.created = "2026-11-27T08:00:00Z";
  manifest.build = "build";
  manifest.instruction_set = "avx2";
  manifest.job = "name: \"toy\"";
  manifest.files = {{"server-0-of-1.safetensors", 1, 1}};
  return manifest;
}

// Server 0 does what it is told, and `last` becomes of it.
void Write(CoreHarness& harness, v1::SnapshotState::Progress last, uint64_t version) {
  const uint64_t order = harness.BeatNow(harness.Beat(v1::SERVER, 0)).snapshot().number();
  for (const auto progress : {v1::SnapshotState::ARMED, last}) {
    v1::HeartbeatRequest beat = harness.Beat(v1::SERVER, 0);
    beat.mutable_snapshot()->set_number(order);
    beat.mutable_snapshot()->set_progress(progress);
    beat.mutable_snapshot()->set_version(version);
    beat.mutable_snapshot()->set_file("server-0-of-1.safetensors");
    harness.Heartbeat(beat);
  }
}

void Report(CoreHarness& harness, v1::ReportRequest::Kind kind, uint64_t task, uint64_t epoch,
            double loss) {
  v1::ReportRequest report;
  report.set_kind(kind);
  report.set_part(task);
  report.set_step_begin(epoch);
  *report.mutable_sums() = MakeSums(4, loss);
  EXPECT_TRUE(harness.Error(harness.Report(0, report)).ok());
}

// Worker 0 completes `task`, which it holds, and takes the next one.
void Train(CoreHarness& harness, uint64_t task, uint64_t epoch) {
  Report(harness, v1::ReportRequest::TRAIN, task, epoch, 1.0);
  harness.NextTask(0, task);
}

// A job of 10 tasks goes on after `before`, completes one more, and saves.
CheckpointManifest NextLife(CheckpointManifest before, uint64_t task) {
  CoordinatorCore::Options options = WithCheckpoints(AsyncJob(1));
  options.resume = ResumePoint{"/run/checkpoints/step", std::move(before), "/run"};
  CoreHarness harness(std::move(options));
  harness.StartAll(1, 1, MakeSetup(40, 0));
  const auto first = harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 0));
  EXPECT_EQ(first.task().id(), task);
  Train(harness, task, 0);
  harness.SaveCheckpoint();
  Write(harness, kWritten, task);
  EXPECT_TRUE(harness.commit());
  return harness.commit() ? harness.commit()->manifest : CheckpointManifest();
}

TEST(CoordinatorCheckpointsTest, TasksOfAllLivesBeforeAreCompleteInEveryCheckpoint) {
  CheckpointManifest manifest = LeftAt(3, "async");
  manifest.completed_tasks = {{1, 3}};
  manifest = NextLife(manifest, 4);
  EXPECT_EQ(manifest.completed_tasks, (Tasks{{1, 4}}));
  manifest = NextLife(manifest, 5);
  EXPECT_EQ(manifest.completed_tasks, (Tasks{{1, 5}}));
}

// Two epochs of one task; the first has been validated.
class FirstBest {
 public:
  FirstBest() : harness_(Options()) {
    harness_.StartAll(1, 1, MakeSetup(4, 2));
    harness_.NextTask(0, 0);
    Train(harness_, 1, 0);
    Report(harness_, v1::ReportRequest::VALIDATION, kValidationTask + 1, 0, /*loss=*/2.0);
  }
  CoreHarness& harness() { return harness_; }
  // What a checkpoint by hand says of the best.
  std::optional<CheckpointBest> LaterBest() {
    harness_.SaveCheckpoint();
    Write(harness_, kWritten, 2);
    EXPECT_TRUE(harness_.commit());
    return harness_.commit() ? harness_.commit()->manifest.best : std::nullopt;
  }

 private:
  static CoordinatorCore::Options Options() {
    v1::Job job = AsyncJob(2);
    job.mutable_checkpoint()->set_best("validation/loss");
    return WithCheckpoints(job);
  }
  CoreHarness harness_;
};

TEST(CoordinatorCheckpointsTest, TheBestIsTheCheckpointThatItsValidationAskedFor) {
  FirstBest best;
  Write(best.harness(), kWritten, 1);
  ASSERT_TRUE(best.harness().commit());
  ASSERT_TRUE(best.harness().commit()->manifest.best);
  EXPECT_EQ(best.harness().commit()->manifest.best->step, 1u);
  EXPECT_EQ(best.harness().commit()->manifest.best->value, 0.5) << "2.0 over 4 examples";
  best.harness().Committed(absl::OkStatus());
  EXPECT_EQ(best.LaterBest()->step, 1u);
}

TEST(CoordinatorCheckpointsTest, ALaterCheckpointIsNotTheBestWhereThatOneWasNotWritten) {
  FirstBest best;
  Write(best.harness(), kFailedToWrite, 1);
  EXPECT_FALSE(best.LaterBest());
}

TEST(CoordinatorCheckpointsTest, ALaterCheckpointIsNotTheBestWhereThatOneWasNotCommitted) {
  FirstBest best;
  Write(best.harness(), kWritten, 1);
  best.harness().Committed(absl::ResourceExhaustedError("disk full"));
  EXPECT_FALSE(best.LaterBest());
}

TEST(CoordinatorCheckpointsTest, WhereTheBestCanNotBeReadTheNewestWeightsAreSavedAndItIsSaid) {
  v1::Job job = MakeJob("sync", 1, 1);
  job.mutable_training()->mutable_early_stopping();
  CoordinatorCore::Options options = WithCheckpoints(job);
  options.resume = ResumePoint{"/run/checkpoints/step-00000003", LeftAt(3, "sync"), "/run"};
  options.resume->manifest.best = CheckpointBest{"validation/loss", 2, 0.5};
  CoreHarness harness(std::move(options));
  harness.StartAll(1, 1, MakeSetup(16, 2));
  harness.Finish(0, 3);
  Write(harness, kWritten, 4);
  harness.Committed(absl::OkStatus());
  EXPECT_EQ(harness.model_from(), "/run/checkpoints/step-00000002");
  harness.ModelSaved(absl::DataLossError("step-00000002: server-0.safetensors was cut"));
  ASSERT_EQ(harness.core().failure(), "");
  EXPECT_EQ(harness.model_from(), "") << "of the servers";
  const nlohmann::json warning = harness.event(harness.events().size() - 1);
  EXPECT_EQ(warning["kind"], "warning");
  EXPECT_THAT(warning["text"].get<std::string>(), HasSubstr("best weights, those of step 2"));
  EXPECT_THAT(warning["text"].get<std::string>(), HasSubstr("server-0.safetensors was cut"));
  harness.ModelSaved(absl::OkStatus());
  harness.Advance(absl::Seconds(2));
  EXPECT_EQ(harness.core().phase(), v1::DONE);
  EXPECT_FALSE(harness.summary().contains("model_step"));
}

TEST(CoordinatorCheckpointsTest, TheSpeedOfAJobThatWentOnIsThatOfItsOwnExamples) {
  v1::Job job = MakeJob("sync", 1, 1);
  job.mutable_training()->set_epochs(1);
  CoordinatorCore::Options options = WithCheckpoints(job);
  options.resume = ResumePoint{"/run/checkpoints/step-00000002", LeftAt(2, "sync"), "/run"};
  CoreHarness harness(std::move(options));
  harness.StartAll(1, 1, MakeSetup(16, 0));
  harness.Advance(absl::Seconds(2));
  v1::ReportRequest report;
  report.set_step_begin(2);
  report.set_step_end(4);
  *report.mutable_sums() = MakeSums(8, 1.0);
  harness.Report(0, report);
  harness.Finish(0, 3);
  Write(harness, kWritten, 4);
  harness.Committed(absl::OkStatus());
  harness.ModelSaved(absl::OkStatus());
  harness.Advance(absl::Seconds(2));
  ASSERT_EQ(harness.core().phase(), v1::DONE);
  EXPECT_EQ(harness.summary()["examples"], 16);
  EXPECT_EQ(harness.summary()["examples_per_second"], 4.0) << "8 in 2 s";
}

// 2 steps an epoch.
v1::Job StoppingJob() {
  v1::Job job = MakeJob("sync", 1, 1);
  job.mutable_training()->set_epochs(5);
  job.mutable_training()->mutable_early_stopping();
  return job;
}

TEST(CoordinatorCheckpointsTest, WorkersHoldAtAValidationThatMayEndTheJobAndItIsSaid) {
  CoreHarness harness(StoppingJob());
  harness.set_build_id("build");
  harness.StartAll(1, 1, MakeSetup(8, 2));
  EXPECT_EQ(harness.BeatNow(harness.Beat(v1::WORKER, 0, 1)).hold_step(), 2u);
  const auto waiting = [&] { return harness.Look().waiting_for(); };
  EXPECT_EQ(waiting(), "") << "nobody has waited yet";
  harness.Advance(absl::Seconds(1));
  EXPECT_EQ(waiting(), "all workers to report the validation at step 2");
}

TEST(CoordinatorCheckpointsTest, NobodyHoldsForValidationsOfAClientThatNeedNotReportThem) {
  CoreHarness harness(StoppingJob());
  harness.StartAll(1, 1, MakeSetup(8, 2));
  EXPECT_EQ(harness.BeatNow(harness.Beat(v1::WORKER, 0, 1)).hold_step(), 0u);
}

}  // namespace
}  // namespace convoy
