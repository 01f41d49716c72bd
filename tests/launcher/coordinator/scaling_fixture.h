// A job whose workers are divided anew while it is under way, for tests of the coordinator's core.
#ifndef CONVOY_TESTS_LAUNCHER_COORDINATOR_SCALING_FIXTURE_H_
#define CONVOY_TESTS_LAUNCHER_COORDINATOR_SCALING_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {

class ScalingTest : public ::testing::Test {
 protected:
  // 40 examples in global batches of 4: ten steps an epoch; tasks of one batch of 2.
  void Start(const std::string& mode, uint32_t workers, const std::string& on_loss = "") {
    v1::Job job = MakeJob(mode, 1, workers);
    job.mutable_training()->set_slices(4);
    job.mutable_training()->set_epochs(2);
    job.mutable_training()->set_report_every_steps(5);
    job.mutable_training()->set_batches_per_task(1);
    job.mutable_cluster()->set_lost_after_ms(10'000);
    job.mutable_cluster()->set_startup_timeout_ms(60'000);
    if (on_loss == "CONTINUE") {
      job.mutable_cluster()->set_on_worker_loss(v1::Cluster::CONTINUE);
      job.mutable_cluster()->set_min_workers(2);
    }
    harness_.emplace(job);
    harness_->set_pids();
    harness_->StartAll(1, workers, MakeSetup(40, 0));
  }
  // 2 steps an epoch; the job ends after the first validation that is no better than the one
  // before.
  void StartWithEarlyStopping() {
    v1::Job job = MakeJob("sync", 1, 2);
    job.mutable_training()->set_slices(2);
    job.mutable_training()->set_epochs(5);
    job.mutable_training()->mutable_early_stopping()->set_patience(1);
    harness_.emplace(job);
    build_id_ = "build";
    harness_->set_build_id(build_id_);
    harness_->set_pids();
    setup_ = MakeSetup(8, 2);
    harness_->StartAll(1, 2, setup_);
  }
  absl::Status Scale(uint32_t workers) { return harness_->Error(harness_->Scale(workers)); }
  v1::RegisterRequest Newcomer(int rank, uint64_t pid) const {
    v1::RegisterRequest request;
    request.set_role(v1::WORKER);
    request.set_wanted_rank(rank);
    request.set_pid(pid);
    request.set_build_id(build_id_);
    return request;
  }
  // All workers agree on the step, say that they have taken the one before it, and finish.
  uint64_t StopAll(uint32_t workers) {
    uint64_t step = 0;
    for (uint32_t worker = 0; worker < workers; ++worker) {
      v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
      const v1::HeartbeatReply told = harness_->BeatNow(beat);
      EXPECT_TRUE(told.divides());
      step = told.stop_step();
      beat.set_stop_confirmed(step);
      harness_->BeatNow(beat);
    }
    for (uint32_t worker = 0; worker < workers; ++worker) harness_->Finish(worker, step - 1);
    return step;
  }
  bool IsToRegister(const v1::Identity& identity) {
    v1::HeartbeatRequest beat;
    *beat.mutable_identity() = identity;
    return harness_->BeatNow(beat).register_again();
  }
  // A worker takes a place, and is ready.
  v1::Assignment Come(int rank, uint64_t pid) {
    const auto reply = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(rank, pid)));
    EXPECT_TRUE(reply.rejoins());
    harness_->Adopt(v1::WORKER, reply.identity().rank(), reply.identity());
    return harness_->Answer<v1::Assignment>(
        harness_->MakeReady(v1::WORKER, reply.identity().rank(), setup_));
  }
  v1::ProcessLostReply::Remedy Killed(uint32_t rank, uint64_t pid) {
    v1::ProcessLostRequest lost;
    lost.set_role(v1::WORKER);
    lost.set_rank(rank);
    lost.set_pid(pid);
    lost.set_cause("killed");
    return harness_->Answer<v1::ProcessLostReply>(harness_->ProcessLost(lost)).remedy();
  }
  // Only these workers, and the server, go on saying that they live.
  void WaitWith(const std::vector<uint32_t>& workers, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      harness_->Advance(absl::Seconds(1));
      harness_->Heartbeat(harness_->Beat(v1::SERVER, 0));
      for (const uint32_t rank : workers) harness_->Heartbeat(harness_->Beat(v1::WORKER, rank));
    }
  }
  // Why observers are told that a process is lost; "": they are not.
  std::string LostText(uint64_t pid) {
    const v1::GetProgressReply look = harness_->Look();
    for (const v1::ProcessInfo& process : look.processes()) {
      if (process.pid() == pid) return process.lost();
    }
    return "";
  }
  int Count(const std::string& kind) {
    int count = 0;
    for (size_t i = 0; i < harness_->events().size(); ++i)
      count += harness_->event(i)["kind"] == kind ? 1 : 0;
    return count;
  }
  int Divisions() { return Count("divided"); }
  void ReportSums(uint32_t worker, uint64_t slice, uint64_t begin, uint64_t end) {
    v1::ReportRequest sums;
    sums.set_part(slice);
    sums.set_step_begin(begin);
    sums.set_step_end(end);
    *sums.mutable_sums() = MakeSums(end - begin, 1);
    EXPECT_TRUE(harness_->Error(harness_->Report(worker, sums)).ok());
  }
  // Both workers report the validation after this step, the last one of an epoch.
  void ReportValidation(uint64_t step, double loss) {
    for (uint32_t worker = 0; worker < 2; ++worker) {
      v1::ReportRequest report;
      report.set_kind(v1::ReportRequest::VALIDATION);
      report.set_part(worker);
      report.set_step_begin(step - 2);
      report.set_step_end(step);
      *report.mutable_sums() = MakeSums(1, loss);
      EXPECT_TRUE(harness_->Error(harness_->Report(worker, report)).ok());
    }
  }
  std::optional<nlohmann::json> LastEvent(const std::string& kind) {
    std::optional<nlohmann::json> last;
    for (size_t i = 0; i < harness_->events().size(); ++i) {
      if (harness_->event(i)["kind"] == kind) last = harness_->event(i);
    }
    return last;
  }

  // Of workers that come later.
  std::string build_id_;
  v1::ReadyRequest setup_ = MakeSetup(40, 0);
  std::optional<CoreHarness> harness_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_LAUNCHER_COORDINATOR_SCALING_FIXTURE_H_
