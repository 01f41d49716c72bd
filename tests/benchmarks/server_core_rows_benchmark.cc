// What a server does with a message of 10,000 random ids x 16 floats: fence, checks, marks, rows;
// no network. range(0): ids that there are, all of which have rows.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/allocator.h"
#include "common/math/random.h"
#include "common/placement/placement.h"
#include "ps/server_core.h"
#include "worker/row_index.h"

namespace convoy {
namespace {

constexpr uint32_t kDim = 16;
constexpr size_t kIds = 10'000;
constexpr size_t kBatches = 64;

class RowServer {
 public:
  explicit RowServer(uint64_t universe) : core_(MakeCore()), gradients_(kIds * kDim, 0.001f) {
    std::vector<uint64_t> all(universe);
    for (uint64_t id = 0; id < universe; ++id) all[id] = id;
    for (size_t begin = 0; begin < universe; begin += kIds) {
      Push(Sorted({all.begin() + static_cast<std::ptrdiff_t>(begin),
                   all.begin() + static_cast<std::ptrdiff_t>(std::min(universe, begin + kIds))}));
    }
    for (uint64_t i = 0; i < kBatches; ++i) {
      const RandomStream random(1, "batch", i);
      std::vector<uint64_t> ids;
      for (uint64_t k = 0; k < kIds; ++k) ids.push_back(random.Below(k, universe));
      batches_.push_back(Sorted(ids));
    }
  }

  const std::vector<uint64_t>& NextBatch() { return batches_[next_++ % kBatches]; }

  void Push(const std::vector<uint64_t>& ids) {
    ExchangeRequest request = Request();
    request.task = 1;
    request.batch = batch_++;
    request.examples = 1;
    RowContribution& rows = request.rows.emplace_back();
    rows.ids = Bytes(ids);
    rows.values = Payload(std::span(gradients_).first(ids.size() * kDim), nullptr);
    request.final = true;
    Handle(request);
  }

  void Pull(const std::vector<uint64_t>& ids) {
    ExchangeRequest request = Request();
    request.pull_version = kNewestVersion;
    request.pull_rows.push_back({0, Bytes(ids)});
    Handle(request);
  }

 private:
  static std::unique_ptr<ServerCore> MakeCore() {
    ConfigureAllocator();
    ServerCore::Options options;
    options.job_id = 1;
    options.mode = {Mode::Kind::kAsync, 0};
    options.optimizer.mutable_sgd();
    return *ServerCore::Create(
        options, *Placement::Create({{"bias", {1}, Initializer::Zeros()}}, 1,
                                    {{"rows", {{"v", kDim, Initializer::HeNormal(16)}}}}));
  }

  static std::vector<uint64_t> Sorted(const std::vector<uint64_t>& ids) {
    RowIndex index;
    index.Build(ids);
    return {index.unique().begin(), index.unique().end()};
  }

  static Payload Bytes(const std::vector<uint64_t>& ids) {
    Payload payload;
    payload.Append({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(uint64_t)});
    return payload;
  }

  static ExchangeRequest Request() {
    ExchangeRequest request;
    request.job_id = 1;
    request.generation = 1;
    request.session = 1;
    return request;
  }

  void Handle(const ExchangeRequest& request) {
    core_->Handle(1, request, absl::UnixEpoch(), &out_);
    if (out_.size() != 1 || out_[0].reply.code != absl::StatusCode::kOk) std::abort();
    out_.clear();
  }

  std::unique_ptr<ServerCore> core_;
  std::vector<float> gradients_;
  std::vector<std::vector<uint64_t>> batches_;
  std::vector<ServerCore::Outgoing> out_;
  uint64_t batch_ = 0;
  size_t next_ = 0;
};

void BM_PullRows(benchmark::State& state) {
  RowServer server(static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) server.Pull(server.NextBatch());
}
BENCHMARK(BM_PullRows)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

void BM_PushRows(benchmark::State& state) {
  RowServer server(static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) server.Push(server.NextBatch());
}
BENCHMARK(BM_PushRows)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace convoy
