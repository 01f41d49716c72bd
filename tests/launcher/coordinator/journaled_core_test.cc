// A coordinator that dies at any moment, and another one that goes on from its journal.
#include "launcher/coordinator/journaled_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/launcher/coordinator/core_harness.h"
#include "tests/testing/run_program.h"

namespace convoy {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

v1::Job MakeSavingJob(const std::string& mode) {
  v1::Job job = MakeJob(mode, 2, 2);
  job.mutable_checkpoint()->set_every_steps(4);
  job.mutable_cluster()->set_max_restarts(3);
  return job;
}

v1::SnapshotState Say(const v1::SnapshotOrder& order, v1::SnapshotState::Progress progress) {
  v1::SnapshotState state;
  state.set_number(order.number());
  state.set_progress(progress);
  state.set_version(order.version());
  if (progress == v1::SnapshotState::WRITTEN) state.set_file("server-of-2.safetensors");
  return state;
}

// A whole training of ten steps, with a checkpoint, a worker that is lost, and a stop at the end.
// Before event number `death` of it the coordinator dies. Returns its events without the times, and
// its summary.
std::pair<std::vector<std::string>, nlohmann::json> Train(int death, int* events) {
  int event = 0;
  CoordinatorCore::Options options{MakeSavingJob("sync"), kJobId, absl::UnixEpoch()};
  options.checkpoints = "/checkpoints";
  CoreHarness harness(std::move(options));
  const auto next = [&] {
    if (event++ == death) harness.Replace();
  };
  for (uint32_t i = 0; i < 2; ++i) {
    for (const v1::Role role : {v1::SERVER, v1::WORKER}) {
      next();
      harness.Join(role, i);
    }
  }
  for (uint32_t i = 0; i < 2; ++i) {
    for (const v1::Role role : {v1::SERVER, v1::WORKER}) {
      next();
      harness.MakeReady(role, i, role == v1::WORKER ? MakeSetup(40, 0) : v1::ReadyRequest());
    }
  }
  EXPECT_EQ(harness.core().phase(), v1::TRAINING) << harness.core().failure();
  const auto beat = [&](v1::HeartbeatRequest request) {
    next();
    return harness.BeatNow(request);
  };
  const auto report = [&](uint32_t worker, uint64_t begin, uint64_t end) {
    next();
    v1::ReportRequest sums;
    sums.set_part(worker);
    sums.set_step_begin(begin);
    sums.set_step_end(end);
    *sums.mutable_sums() = MakeSums(2 * (end - begin), 3 + worker);
    harness.Answer<v1::ReportReply>(harness.Report(worker, sums));
  };
  v1::SnapshotOrder order;
  for (uint64_t step = 0; step < 4; ++step) {
    for (uint32_t worker = 0; worker < 2; ++worker) {
      order = beat(harness.Beat(v1::WORKER, worker, step)).snapshot();
    }
    next();
    harness.Advance(absl::Milliseconds(300));
    for (uint32_t worker = 0; worker < 2; ++worker) report(worker, step, step + 1);
  }
  EXPECT_EQ(order.version(), 4u);
  for (const auto progress : {v1::SnapshotState::ARMED, v1::SnapshotState::WRITTEN}) {
    for (uint32_t worker = 0; worker < 2 && progress == v1::SnapshotState::ARMED; ++worker) {
      v1::HeartbeatRequest request = harness.Beat(v1::WORKER, worker, 3);
      *request.mutable_snapshot() = Say(order, progress);
      order = beat(request).snapshot();
    }
    for (uint32_t server = 0; server < 2; ++server) {
      v1::HeartbeatRequest request = harness.Beat(v1::SERVER, server);
      *request.mutable_snapshot() = Say(order, progress);
      order = beat(request).snapshot();
    }
  }
  for (uint32_t worker = 0; worker < 2; ++worker) {
    next();
    v1::ReportRequest partial;
    partial.set_kind(v1::ReportRequest::PARTIAL);
    partial.set_part(worker);
    partial.set_step_begin(4);
    partial.set_step_end(4);
    harness.Report(worker, partial);
  }
  EXPECT_TRUE(harness.commit()) << "no checkpoint is to be committed";
  next();
  harness.Committed(absl::OkStatus());
  next();
  v1::ProcessLostRequest lost;
  lost.set_role(v1::WORKER);
  lost.set_rank(1);
  lost.set_cause("killed");
  EXPECT_EQ(harness.Answer<v1::ProcessLostReply>(harness.ProcessLost(lost)).remedy(),
            v1::ProcessLostReply::REPLACE);
  next();
  harness.Join(v1::WORKER, 1);
  next();
  EXPECT_EQ(harness.Answer<v1::Assignment>(harness.MakeReady(v1::WORKER, 1, MakeSetup(40, 0)))
                .generation(),
            1u);
  v1::HeartbeatRequest back = harness.Beat(v1::WORKER, 1, 4);
  back.set_rejoined_at(5);
  beat(back);
  next();
  harness.Stop();
  for (uint32_t worker = 0; worker < 2; ++worker) {
    v1::HeartbeatRequest request = harness.Beat(v1::WORKER, worker, 6);
    request.set_stop_confirmed(beat(request).stop_step());
    beat(request);
  }
  for (uint32_t worker = 0; worker < 2; ++worker) report(worker, 4, 7);
  for (uint32_t worker = 0; worker < 2; ++worker) {
    next();
    harness.Finish(worker, 7);
  }
  EXPECT_EQ(harness.core().phase(), v1::FINISHING) << harness.core().failure();
  *events = event;
  std::vector<std::string> lines;
  for (const std::string& line : harness.events()) {
    nlohmann::json parsed = nlohmann::json::parse(line);
    if (parsed["kind"] == "recovered") continue;
    parsed.erase("time");
    lines.push_back(parsed.dump());
  }
  harness.Fail("enough");
  nlohmann::json summary = harness.summary();
  summary.erase("coordinators_replaced");
  return {lines, summary};
}

TEST(JournaledCoreTest, ADeathAtAnyMomentChangesNothing) {
  int events = 0;
  const auto alone = Train(-1, &events);
  EXPECT_GT(events, 40);
  EXPECT_GE(alone.first.size(), 6u);
  for (int death = 0; death < events; ++death) {
    SCOPED_TRACE(death);
    int ignored = 0;
    const auto disturbed = Train(death, &ignored);
    ASSERT_EQ(disturbed.first, alone.first);
    ASSERT_EQ(disturbed.second, alone.second);
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

TEST(JournaledCoreTest, TasksAreHandedOutAsIfNothingHadHappened) {
  CoreHarness harness(MakeJob("async", 1, 2));
  harness.StartAll(1, 2, MakeSetup(400, 0));
  const auto task = [&](uint32_t worker, uint64_t completed) {
    return harness.Answer<v1::NextTaskReply>(harness.NextTask(worker, completed)).task().id();
  };
  EXPECT_EQ(task(0, 0), 1u);
  EXPECT_EQ(task(1, 0), 2u);
  EXPECT_EQ(task(0, 1), 3u);
  harness.Replace();
  EXPECT_EQ(task(0, 1), 3u) << "it holds this one";
  EXPECT_EQ(task(1, 2), 4u);
  harness.Replace();
  EXPECT_EQ(task(0, 3), 5u);
}

TEST(JournaledCoreTest, TasksThatAreHeldAheadAreRemembered) {
  v1::Job job = MakeJob("async", 1, 2);
  job.mutable_training()->set_batches_per_task(1);
  CoreHarness harness(job);
  harness.StartAll(1, 2, MakeSetup(400, 0));
  const auto ahead = [&](uint64_t completed) {
    return harness.Answer<v1::NextTaskReply>(harness.NextTaskAhead(0, completed)).task().id();
  };
  EXPECT_EQ(harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 0)).task().id(), 1u);
  EXPECT_EQ(ahead(0), 2u);
  harness.Replace();
  EXPECT_EQ(ahead(0), 2u) << "the answer may be lost";
  EXPECT_EQ(ahead(1), 3u);
  harness.Replace();
  EXPECT_EQ(ahead(1), 3u);
  EXPECT_EQ(harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 2)).task().id(), 3u);
}

// Those who wait ask again; nobody waits for an answer of the process that is gone.
TEST(JournaledCoreTest, ParkedCallsAreForgotten) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  const CallId ready = harness.MakeReady(v1::SERVER, 0);
  EXPECT_FALSE(harness.answered(ready));
  harness.Replace();
  harness.MakeReady(v1::WORKER, 0, MakeSetup(8, 0));
  EXPECT_EQ(harness.core().phase(), v1::TRAINING);
  EXPECT_FALSE(harness.answered(ready));
  EXPECT_EQ(harness.Answer<v1::Assignment>(harness.MakeReady(v1::SERVER, 0)).generation(), 1u);
}

TEST(JournaledCoreTest, WhatTheProcessBeforeWasToDoIsDone) {
  CoordinatorCore::Options options{MakeSavingJob("async"), kJobId, absl::UnixEpoch()};
  CoreHarness harness(std::move(options));
  harness.StartAll(2, 2, MakeSetup(8, 0));
  harness.Stop();
  for (uint32_t worker = 0; worker < 2; ++worker) harness.Finish(worker, 0);
  ASSERT_TRUE(harness.to_save());
  const std::string asked = harness.to_save()->DebugString();
  harness.ForgetToSave();
  harness.Replace();
  ASSERT_TRUE(harness.to_save()) << "the model is to be saved again";
  EXPECT_EQ(harness.to_save()->DebugString(), asked);
  harness.ModelSaved(absl::OkStatus());
  harness.ForgetToSave();
  harness.Replace();
  EXPECT_FALSE(harness.to_save()) << "it was said that it is saved";
}

TEST(JournaledCoreTest, SilenceCountsFromTheReplacementOn) {
  v1::Job job = MakeJob("sync", 1, 1);
  job.mutable_cluster()->set_lost_after_ms(1000);
  CoreHarness harness(job);
  harness.StartAll(1, 1, MakeSetup(400, 0));
  harness.Pass(absl::Minutes(5));  // Nobody has looked: there was no coordinator.
  harness.Replace();
  harness.Advance(absl::Milliseconds(900));
  EXPECT_EQ(harness.core().phase(), v1::TRAINING) << harness.core().failure();
  harness.Advance(absl::Milliseconds(200));
  EXPECT_THAT(harness.core().failure(), HasSubstr("not heard of for "));
}

// The machine's clock was set, or the other process began earlier.
TEST(JournaledCoreTest, TimeGoesOnWhenTheClockGoesBack) {
  v1::Job job = MakeJob("sync", 1, 1);
  job.mutable_cluster()->set_lost_after_ms(1000);
  CoreHarness harness(job);
  harness.StartAll(1, 1, MakeSetup(400, 0));
  harness.Advance(absl::Milliseconds(500));
  harness.Pass(-absl::Hours(3));
  harness.Replace();
  harness.Advance(absl::Milliseconds(900));
  EXPECT_EQ(harness.core().phase(), v1::TRAINING) << harness.core().failure();
  harness.Heartbeat(harness.Beat(v1::WORKER, 0, 1));
  harness.Heartbeat(harness.Beat(v1::SERVER, 0));
  harness.Advance(absl::Milliseconds(900));
  EXPECT_EQ(harness.core().phase(), v1::TRAINING) << harness.core().failure();
  harness.Advance(absl::Milliseconds(200));
  EXPECT_THAT(harness.core().failure(), HasSubstr("not heard of for "));
}

// Says another figure each time.
AdmitFunction AdmitAndCount(int* asked) {
  return [asked](const v1::Assignment&, uint32_t, uint32_t) {
    v1::MemoryReport memory;
    memory.set_available_bytes(static_cast<uint64_t>(1000 + (*asked)++));
    return memory;
  };
}

TEST(JournaledCoreTest, WhatWasAskedOfTheWorldIsNotAskedAgain) {
  int asked = 0;
  const AdmitFunction admit = AdmitAndCount(&asked);
  CoordinatorCore::Options options{MakeJob("sync", 1, 1), kJobId, absl::UnixEpoch()};
  options.admit = admit;
  CoreHarness harness(std::move(options));
  harness.StartAll(1, 1, MakeSetup(8, 0));
  EXPECT_EQ(harness.Look().memory().available_bytes(), 1000u);
  harness.Replace(admit);
  EXPECT_EQ(harness.Look().memory().available_bytes(), 1000u);
  EXPECT_EQ(asked, 1);
}

// It was killed between what it was told and what it asked then: the last record is cut off.
TEST(JournaledCoreTest, WhatTheProcessBeforeDidNotComeToAskIsAsked) {
  int asked = 0;
  const AdmitFunction admit = AdmitAndCount(&asked);
  CoordinatorCore::Options options{MakeJob("sync", 1, 1), kJobId, absl::UnixEpoch()};
  options.admit = admit;
  CoreHarness harness(std::move(options));
  harness.StartAll(1, 1, MakeSetup(8, 0));
  harness.CutJournal(1);
  harness.Replace(admit);
  EXPECT_EQ(harness.core().phase(), v1::TRAINING);
  EXPECT_EQ(harness.Look().memory().available_bytes(), 1001u);
  harness.Replace(admit);
  EXPECT_EQ(harness.Look().memory().available_bytes(), 1001u);
}

class OwnJournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<JournaledCore> Create() {
    auto core = JournaledCore::Create({MakeJob("sync", 1, 1), kJobId, absl::UnixEpoch()}, path_);
    EXPECT_TRUE(core.ok()) << core.status();
    return *std::move(core);
  }
  static v1::RegisterRequest Server() {
    v1::RegisterRequest request;
    request.set_role(v1::SERVER);
    request.set_address("127.0.0.1:5000");
    request.set_nonce(5);
    return request;
  }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_ / "journal";
};

TEST_F(OwnJournalTest, NobodyHearsOfAChangeBeforeItIsOnTheDisk) {
  const auto core = Create();
  EXPECT_EQ(core->to_sync(), 0u);
  core->On(&CoordinatorCore::OnRegister, 1, Server(), absl::UnixEpoch());
  const uint64_t size = core->to_sync();
  EXPECT_EQ(size, core->journal()->size());
  core->OnSynced(absl::OkStatus(), size - 1, absl::UnixEpoch());
  EXPECT_EQ(core->to_sync(), size);
  core->OnSynced(absl::OkStatus(), size, absl::UnixEpoch());
  EXPECT_EQ(core->to_sync(), 0u);
  // That time goes by is nothing to be told.
  core->Tick(absl::UnixEpoch());
  EXPECT_EQ(core->to_sync(), 0u);
}

TEST_F(OwnJournalTest, ADiskThatFailsEndsTheJournalAndNotTheJob) {
  const auto core = Create();
  core->OnSynced(absl::ResourceExhaustedError("no space left"), 0, absl::UnixEpoch());
  EXPECT_EQ(core->journal(), nullptr);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "somebody could go on from what is not whole";
  const Actions actions = core->On(&CoordinatorCore::OnRegister, 1, Server(), absl::UnixEpoch());
  ASSERT_EQ(actions.answers.size(), 1u);
  EXPECT_THAT(actions.events, Contains(HasSubstr("no space left; should the coordinator die")));
  EXPECT_EQ(core->to_sync(), 0u);
}

TEST_F(OwnJournalTest, AnotherBuildIsRefused) {
  v1::JournalHeader header;
  header.set_build_id("another");
  *header.mutable_job() = MakeJob("sync", 1, 1);
  header.set_job_id(kJobId);
  ASSERT_TRUE(Journal::Create(path_, header).ok());
  const auto core = JournaledCore::Recover(path_, {}, {}, absl::UnixEpoch());
  EXPECT_EQ(core.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(core.status().message()), HasSubstr("is of build \"another\""));
}

}  // namespace
}  // namespace convoy
