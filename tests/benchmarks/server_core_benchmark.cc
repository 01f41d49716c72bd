// What a server does with a message of one block, without a network, beside the update alone: the
// difference is what fences, checks, marks and versions cost. range(0): floats of the block.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/allocator.h"
#include "common/optimizers/optimizer.h"
#include "common/placement/placement.h"
#include "ps/server_core.h"
#include "ps/task_marks.h"

namespace convoy {
namespace {

constexpr uint64_t kBatchesOfTask = 100;

class BlockServer {
 public:
  BlockServer(const Mode& mode, int64_t floats)
      : rounds_(mode.rounds()), gradient_(static_cast<size_t>(floats), 0.001f) {
    ConfigureAllocator();
    ServerCore::Options options;
    options.job_id = 1;
    options.mode = mode;
    options.optimizer.mutable_sgd();
    core_ = *ServerCore::Create(
        options, *Placement::Create({{"block", {floats}, Initializer::Zeros()}}, 1, {}));
  }

  // A gradient, and the values after its update.
  void PushPull(uint64_t generation = 1) {
    ExchangeRequest request;
    request.job_id = 1;
    request.generation = generation;
    request.session = 1;
    if (rounds_) {
      request.step = pushed_;
      request.pull_version = pushed_ + 1;
    } else {
      request.task = 1 + pushed_ / kBatchesOfTask;
      request.batch = pushed_ % kBatchesOfTask;
      if (request.batch == 0) request.completed_task = request.task - 1;
    }
    request.examples = 1;
    request.final = true;
    request.contributions.push_back({0, pushed_, Payload(gradient_, nullptr)});
    request.pull_cells.push_back(0);
    request.pull_applied = true;
    core_->Handle(1, request, absl::UnixEpoch(), &out_);
    const bool taken = out_.size() == 1 && out_[0].reply.code == absl::StatusCode::kOk;
    if (taken != (generation == 1)) std::abort();
    pushed_ += taken ? 1 : 0;
    out_.clear();
  }

  // A request of the present generation that brings and wants nothing.
  void Empty() {
    ExchangeRequest request;
    request.job_id = 1;
    request.generation = 1;
    request.session = 1;
    core_->Handle(1, request, absl::UnixEpoch(), &out_);
    if (out_.size() != 1 || out_[0].reply.code != absl::StatusCode::kOk) std::abort();
    out_.clear();
  }

 private:
  const bool rounds_;
  const std::vector<float> gradient_;
  std::unique_ptr<ServerCore> core_;
  std::vector<ServerCore::Outgoing> out_;
  uint64_t pushed_ = 0;
};

void PushPull(benchmark::State& state, const Mode& mode) {
  BlockServer server(mode, state.range(0));
  for (auto _ : state) server.PushPull();
}
void BM_PushPullAsync(benchmark::State& state) { PushPull(state, {Mode::Kind::kAsync}); }
void BM_PushPullSync(benchmark::State& state) { PushPull(state, {Mode::Kind::kSync}); }
BENCHMARK(BM_PushPullAsync)->Arg(16)->Arg(1024)->Arg(65536);
BENCHMARK(BM_PushPullSync)->Arg(16)->Arg(1024)->Arg(65536);

// One that is refused because the job has begun another generation: the fence, and the refusal.
void BM_Refused(benchmark::State& state) {
  BlockServer server({Mode::Kind::kAsync}, state.range(0));
  for (auto _ : state) server.PushPull(/*generation=*/0);
}
BENCHMARK(BM_Refused)->Arg(1024);

// What is paid for every message: job, generation and session are compared, the worker was heard
// (its lease), and an empty reply is made.
void BM_Fence(benchmark::State& state) {
  BlockServer server({Mode::Kind::kAsync}, 16);
  for (auto _ : state) server.Empty();
}
BENCHMARK(BM_Fence);

// From one buffer into another one, as cells do.
void BM_UpdateAlone(benchmark::State& state) {
  const auto optimizer = *MakeOptimizer({});
  const auto floats = static_cast<size_t>(state.range(0));
  const std::vector<float> gradient(floats, 0.001f);
  AlignedBuffer from(floats), to(floats);
  int64_t updates = 0;
  for (auto _ : state) {
    optimizer->Apply({0.01f, ++updates, 1},
                     {gradient.data(), from.data(), to.data(), nullptr, state.range(0)});
    std::swap(from, to);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_UpdateAlone)->Arg(16)->Arg(1024)->Arg(65536);

// The marks of one cell, of as many workers at once: a batch is looked up and counted; tasks of 100
// batches end.
void BM_TaskMarks(benchmark::State& state) {
  const auto workers = static_cast<uint64_t>(state.range(0));
  TaskMarks marks;
  uint64_t counted = 0;
  for (auto _ : state) {
    const uint64_t round = counted / workers;
    const uint64_t task = round / kBatchesOfTask * workers + counted % workers;
    benchmark::DoNotOptimize(marks.Next(task));
    marks.Count(task);
    if (round % kBatchesOfTask + 1 == kBatchesOfTask) marks.Forget(task);
    ++counted;
  }
}
BENCHMARK(BM_TaskMarks)->Arg(1)->Arg(2)->Arg(16);

}  // namespace
}  // namespace convoy
