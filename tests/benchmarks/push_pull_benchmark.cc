// The path of a gradient: encode, decode, apply; and a whole push-pull through the product's own
// client, stream, cells and marks over TCP on loopback (client and server are threads of this
// process).
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/allocator.h"
#include "common/net/exchange.h"
#include "common/placement/placement.h"
#include "ps/parameter_service.h"
#include "ps/server_core.h"
#include "worker/parameter_client.h"

namespace convoy {
namespace {

// Variables of `block` floats each, `total` floats in all.
Placement Blocks(int64_t block, int64_t total) {
  std::vector<VariableSpec> variables;
  for (int64_t i = 0; i < total / block; ++i) {
    variables.push_back({"v" + std::to_string(i), {block}, Initializer::Zeros()});
  }
  return *Placement::Create(variables, 1);
}

std::shared_ptr<ServerCore> MakeCore(const Placement& placement) {
  ServerCore::Options options;
  options.job_id = 1;
  options.optimizer.mutable_sgd();
  return std::shared_ptr<ServerCore>(*ServerCore::Create(options, placement));
}

ExchangeRequest Request(int64_t floats, const std::shared_ptr<AlignedBuffer>& values,
                        uint64_t step) {
  ExchangeRequest request;
  request.job_id = 1;
  request.generation = 1;
  request.session = 1;
  request.step = step;
  request.examples = 1;
  request.final = true;
  request.pull_version = step + 1;
  request.pull_cells.push_back(0);
  request.contributions.push_back(
      {0, step, Payload(values->span().first(static_cast<size_t>(floats)), values)});
  return request;
}

void BM_Encode(benchmark::State& state) {
  const auto values = std::make_shared<AlignedBuffer>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Encode(Request(state.range(0), values, 7)));
}
BENCHMARK(BM_Encode)->Arg(1024)->Arg(65536);

void BM_Decode(benchmark::State& state) {
  const auto values = std::make_shared<AlignedBuffer>(state.range(0));
  const std::string bytes = Encode(Request(state.range(0), values, 7)).ToString();
  Payload payload;
  for (size_t at = 0; at < bytes.size(); at += 16384) {
    payload.Append({bytes.data() + at, std::min<size_t>(16384, bytes.size() - at)});
  }
  for (auto _ : state) benchmark::DoNotOptimize(DecodeRequest(payload));
}
BENCHMARK(BM_Decode)->Arg(1024)->Arg(65536);

// Fence, checks, marks, update, version, reply; no network.
void BM_ServerCorePushPull(benchmark::State& state) {
  const int64_t floats = state.range(0);
  const std::shared_ptr<ServerCore> core = MakeCore(Blocks(floats, floats));
  const auto values = std::make_shared<AlignedBuffer>(floats);
  std::vector<ServerCore::Outgoing> out;
  uint64_t step = 0;
  for (auto _ : state) {
    core->Handle(1, Request(floats, values, step++), absl::UnixEpoch(), &out);
    out.clear();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * floats * 4);
}
BENCHMARK(BM_ServerCorePushPull)->Arg(1024)->Arg(16384)->Arg(65536);

// range(0): floats of a block; range(1): floats of the whole push. Bytes are counted once (each
// way).
void BM_PushPull(benchmark::State& state) {
  ConfigureAllocator();
  const Placement placement = Blocks(state.range(0), state.range(1));
  const std::unique_ptr<ParameterService> service = *ParameterService::Start({});
  service->Install(MakeCore(placement));
  ParameterClient::Options options;
  options.job_id = 1;
  options.servers = {service->address()};
  options.coalesce_bytes = static_cast<size_t>(state.range(0)) * 4;  // one block in a message
  const std::unique_ptr<ParameterClient> client = *ParameterClient::Connect(options, placement);
  const auto gradient = std::make_shared<AlignedBuffer>(state.range(0));
  if (!client->PullAll(0).ok() || !client->WaitForWeights().ok())
    state.SkipWithError("pull failed");
  uint64_t step = 0;
  for (auto _ : state) {
    ParameterClient::PushHeader header;
    header.step = step++;
    header.examples = 1;
    header.pull = true;
    absl::Status status = client->BeginPush(header);
    for (uint32_t v = 0; v < placement.variables().size(); ++v) {
      status.Update(client->PushUpTo(v, state.range(0), gradient->span(), gradient));
    }
    status.Update(client->EndPush());
    status.Update(client->WaitForWeights());
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(1) * 4);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(1) /
                          state.range(0));
}
BENCHMARK(BM_PushPull)
    ->Args({1024, 1024})         // 4 KB alone: latency
    ->Args({1024, 16 * 1024})    // 4 KB, 16 in flight
    ->Args({16384, 8 * 16384})   // 64 KB, 8 in flight
    ->Args({65536, 4 * 65536})   // 256 KB, 4 in flight
    ->Args({65536, 64 * 65536})  // a tensor of 16 MB
    ->UseRealTime();

}  // namespace
}  // namespace convoy
