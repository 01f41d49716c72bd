// What cluster.spin_us buys: one push-pull of 4 KB with nothing else in flight, over TCP on
// loopback, through the product's client, streams, cells and marks. range(0): microseconds of
// asking before a thread sleeps.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/allocator.h"
#include "ps/parameter_service.h"
#include "ps/server_core.h"
#include "worker/parameter_client.h"

namespace convoy {
namespace {

constexpr int64_t kFloats = 1024;

std::shared_ptr<ServerCore> MakeCore(const Placement& placement) {
  ServerCore::Options options;
  options.job_id = 1;
  options.optimizer.mutable_sgd();
  return std::shared_ptr<ServerCore>(*ServerCore::Create(options, placement));
}

absl::Status PushPull(ParameterClient& client, uint64_t step,
                      const std::shared_ptr<AlignedBuffer>& gradient) {
  ParameterClient::PushHeader header;
  header.step = step;
  header.examples = 1;
  header.pull = true;
  absl::Status status = client.BeginPush(header);
  status.Update(client.PushUpTo(0, kFloats, gradient->span(), gradient));
  status.Update(client.EndPush());
  status.Update(client.WaitForWeights());
  return status;
}

void BM_SpinningPushPull(benchmark::State& state) {
  ConfigureAllocator();
  const absl::Duration spin = absl::Microseconds(state.range(0));
  const Placement placement = *Placement::Create({{"v", {kFloats}, Initializer::Zeros()}}, 1);
  ParameterService::Options service_options;
  service_options.spin = spin;
  const std::unique_ptr<ParameterService> service = *ParameterService::Start(service_options);
  service->Install(MakeCore(placement));
  ParameterClient::Options options;
  options.job_id = 1;
  options.servers = {service->address()};
  options.spin = spin;
  const std::unique_ptr<ParameterClient> client = *ParameterClient::Connect(options, placement);
  const auto gradient = std::make_shared<AlignedBuffer>(kFloats);
  if (!client->PullAll(0).ok() || !client->WaitForWeights().ok())
    state.SkipWithError("pull failed");
  std::vector<double> micros;
  uint64_t step = 0;
  for (auto _ : state) {
    const absl::Time start = absl::Now();
    const absl::Status status = PushPull(*client, step++, gradient);
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
    micros.push_back(absl::ToDoubleMicroseconds(absl::Now() - start));
  }
  std::nth_element(micros.begin(), micros.begin() + static_cast<int64_t>(micros.size() / 2),
                   micros.end());
  state.counters["p50_us"] = micros[micros.size() / 2];
}
BENCHMARK(BM_SpinningPushPull)->Arg(0)->Arg(20)->Arg(50)->Arg(200)->UseRealTime();

}  // namespace
}  // namespace convoy
