// What the coordinator's journal costs: a heartbeat with and without it, and going on from it.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>

#include "launcher/coordinator/journaled_core.h"

namespace convoy {
namespace {

constexpr uint64_t kJob = 77;
constexpr uint32_t kServers = 2, kWorkers = 2;

std::string JournalPath() {
  return (std::filesystem::temp_directory_path() / "journal_benchmark").string();
}

// A job that trains, of processes whose heartbeats are those of real ones.
class Training {
 public:
  explicit Training(const std::string& journal) {
    v1::Job job;
    job.mutable_cluster()->set_servers(kServers);
    job.mutable_cluster()->set_workers(kWorkers);
    job.mutable_cluster()->set_lost_after_ms(5000);
    job.mutable_training()->set_mode("sync");
    job.mutable_training()->set_batch_size(4);
    core_ = *JournaledCore::Create({job, kJob, now_}, journal);
    for (uint32_t p = 0; p < kServers + kWorkers; ++p) {
      v1::RegisterRequest request;
      request.set_role(p < kServers ? v1::SERVER : v1::WORKER);
      request.set_wanted_rank(static_cast<int32_t>(p < kServers ? p : p - kServers));
      if (p < kServers) request.set_address("127.0.0.1:5000");
      const Actions actions = core_->On(&CoordinatorCore::OnRegister, ++call_, request, now_);
      identities_[p] = std::get<v1::RegisterReply>(actions.answers.back().reply).identity();
    }
    for (uint32_t p = 0; p < kServers + kWorkers; ++p) {
      v1::ReadyRequest request;
      *request.mutable_identity() = identities_[p];
      if (p >= kServers) {
        v1::Variable& variable = *request.add_variables();
        variable.set_name("weight");
        variable.add_shape(3);
        request.mutable_data()->set_examples(uint64_t{1} << 40);
        request.mutable_data()->set_features(3);
        request.mutable_data()->set_classes(2);
      }
      core_->On(&CoordinatorCore::OnReady, ++call_, request, now_);
    }
  }

  // One heartbeat of one process, and the clock goes on.
  void Beat() {
    const uint64_t p = beats_++ % (kServers + kWorkers);
    now_ += absl::Milliseconds(125);
    v1::HeartbeatRequest request;
    *request.mutable_identity() = identities_[p];
    request.mutable_identity()->set_generation(1);
    request.set_step(p < kServers ? 0 : beats_);
    v1::ProcessUsage& usage = *request.mutable_usage();
    usage.set_cpu_seconds(0.01 * static_cast<double>(beats_));
    usage.set_peak_rss_bytes(24 << 20);
    usage.set_rss_bytes(23 << 20);
    usage.set_bytes_sent(beats_ * 12345);
    usage.set_bytes_received(beats_ * 12321);
    usage.set_compute_seconds(0.003 * static_cast<double>(beats_));
    usage.set_trained_seconds(0.12 * static_cast<double>(beats_));
    if (p < kServers) request.mutable_stats()->set_updates(beats_ * 7);
    benchmark::DoNotOptimize(core_->On(&CoordinatorCore::OnHeartbeat, ++call_, request, now_));
  }

  const JournaledCore& core() const { return *core_; }
  absl::Time now() const { return now_; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  std::unique_ptr<JournaledCore> core_;
  CallId call_ = 0;
  uint64_t beats_ = 0;
  v1::Identity identities_[kServers + kWorkers];
};

void BM_HeartbeatWithoutJournal(benchmark::State& state) {
  Training training("");
  for (auto _ : state) training.Beat();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_HeartbeatWithoutJournal);

void BM_HeartbeatWithJournal(benchmark::State& state) {
  Training training(JournalPath());
  const uint64_t before = training.core().journal()->size();
  for (auto _ : state) training.Beat();
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(training.core().journal()->size() - before) /
                            static_cast<double>(state.iterations());
}
BENCHMARK(BM_HeartbeatWithJournal);

// Heartbeats of three and a half hours.
void BM_GoOn(benchmark::State& state) {
  constexpr int kBeats = 100'000;
  absl::Time now;
  {
    Training training(JournalPath());
    for (int i = 0; i < kBeats; ++i) training.Beat();
    now = training.now();
  }
  for (auto _ : state) {
    const auto core = JournaledCore::Recover(JournalPath(), {}, {}, now);
    if (!core.ok()) state.SkipWithError(std::string(core.status().message()).c_str());
  }
  state.SetItemsProcessed(state.iterations() * kBeats);
}
BENCHMARK(BM_GoOn)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace convoy
