// Push-pull of rows of an embedding table over TCP on loopback, server and worker in processes of
// their own, through the product's client, buckets and marks, mode async, plain SGD: a gradient for
// each of 10,000 random ids out of a million, 16 floats each, and the values of the next 10,000.
// Beside it the same through a Unix socket and through shared memory, and the same bytes as blocks
// of a dense variable.
//
//   row_transport_benchmark [--ids=10000] [--universe=1000000] [--seconds=2] [--rounds=5]
//                           [--rows_only=false] [--through=tcp]
//
// On a machine that is shared, judge by the processor time of an operation. --rows_only leaves out
// all but the first line, for a profiler; --through=socket takes a Unix socket for everything,
// --through=memory shared memory, too.
//
// The child runs the same program: `serve` prints the address.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/aligned_buffer.h"
#include "common/allocator.h"
#include "common/math/random.h"
#include "common/net/grpc_process.h"
#include "common/placement/placement.h"
#include "ps/parameter_service.h"
#include "ps/server_core.h"
#include "tests/benchmarks/child.h"
#include "tests/benchmarks/push_pull.h"
#include "worker/parameter_client.h"
#include "worker/table_batch.h"

namespace convoy::benchmarks {

void Fail(const std::string& what) {
  std::cerr << "row_transport_benchmark: " << what << "\n";
  std::exit(1);
}

namespace {

constexpr uint64_t kJob = 1;
constexpr uint32_t kDim = 16;
constexpr Mode kMode{Mode::Kind::kAsync, 0};

struct Settings {
  uint64_t ids = 10000, universe = 1000000;
  double seconds = 2;
  int rounds = 5;
  bool rows_only = false;
  std::string through = "tcp";  // or "socket", "memory"
};

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(std::string(status.message()));
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double OwnCpuSeconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

double Now() { return absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()); }

Placement Place(const Settings& settings) {
  const auto floats = static_cast<int64_t>(settings.ids * kDim);
  return *Placement::Create({{"dense", {floats}, Initializer::Zeros()}}, 1,
                            {{"rows", {{"v", kDim, Initializer::HeNormal(16)}}}});
}

int Serve(const Settings& settings) {
  const std::unique_ptr<ParameterService> service = *ParameterService::Start({});
  if (settings.through != "tcp") Check(service->ListenLocally(settings.through == "memory"));
  ServerCore::Options options;
  options.job_id = kJob;
  options.mode = kMode;
  options.optimizer.mutable_sgd();
  service->Install(*ServerCore::Create(options, Place(settings)));
  std::cout << service->address() << std::endl;
  std::cin.ignore(1 << 20, EOF);
  return 0;
}

class Worker {
 public:
  Worker(const Settings& settings, const std::string& address) : settings_(settings), pool_(1) {
    ParameterClient::Options options;
    options.job_id = kJob;
    options.servers = {address};
    options.mode = kMode;
    client_ = *ParameterClient::Connect(options, Place(settings));
    header_.task = 1;
    header_.examples = 1;
    for (uint64_t i = 0; i < 64; ++i) {
      const RandomStream random(1, "batch", i);
      std::vector<uint64_t>& ids = batches_.emplace_back();
      for (uint64_t k = 0; k < settings.ids; ++k) ids.push_back(random.Below(k, settings.universe));
    }
    gradient_ = std::make_shared<AlignedBuffer>(settings.ids * kDim);
    Check(client_->PullAll(0));
    Check(client_->WaitForWeights());
  }

  // As the training loop of async does: the rows of the next batch are asked for before the
  // gradients of this one leave.
  double RowsPerSecond() {
    std::shared_ptr<TableBatch> ahead = PullNext();
    const double rate = Rate([&] {
      const std::shared_ptr<TableBatch> batch = std::exchange(ahead, PullNext());
      Check(client_->WaitForRows(*batch));
      std::fill(batch->gradients().begin(), batch->gradients().end(), 0.001f);
      Check(client_->BeginPush(header_));
      ++header_.batch;
      Check(client_->PushRows(*batch));
      Check(client_->EndPush());
    });
    return rate;
  }

  double BlocksPerSecond() {
    PushedAll();
    return Rate([this] {
      header_.pull = true;
      Check(client_->BeginPush(header_));
      ++header_.batch;
      Check(client_->PushUpTo(0, static_cast<int64_t>(gradient_->size()), gradient_->span(),
                              gradient_));
      Check(client_->EndPush());
      Check(client_->WaitForWeights());
      header_.pull = false;
    });
  }

  int64_t operations() const { return operations_; }

 private:
  std::shared_ptr<TableBatch> PullNext() {
    const std::shared_ptr<TableBatch> batch = pool_.Get(0, kDim);
    batch->Build(batches_[next_++ % batches_.size()]);
    Check(client_->PullRows(batch, 0));
    return batch;
  }
  void PushedAll() { Check(client_->WaitUntilAnswered()); }
  template <typename Operation>
  double Rate(Operation operation) {
    int64_t count = 0;
    const double start = Now();
    while (Now() - start < settings_.seconds) {
      operation();
      ++count;
    }
    PushedAll();
    operations_ += count;
    return static_cast<double>(count) / (Now() - start);
  }

  const Settings settings_;
  std::unique_ptr<ParameterClient> client_;
  TableBatchPool pool_;
  ParameterClient::PushHeader header_;
  std::vector<std::vector<uint64_t>> batches_;
  std::shared_ptr<AlignedBuffer> gradient_;
  size_t next_ = 0;
  int64_t operations_ = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Of both processes, for each of the worker's operations.
struct Cost {
  double per_second, server_us, worker_us;
};

template <typename Measure>
Cost CostOf(const Child& server, const Worker& worker, Measure measure) {
  const double server_before = server.CpuSeconds(), own_before = OwnCpuSeconds();
  const int64_t done_before = worker.operations();
  const double rate = measure();
  const double done = static_cast<double>(worker.operations() - done_before);
  return {rate, 1e6 * (server.CpuSeconds() - server_before) / done,
          1e6 * (OwnCpuSeconds() - own_before) / done};
}

void Print(const char* what, const std::vector<Cost>& costs) {
  const auto median = [&](double Cost::*value) {
    std::vector<double> values;
    for (const Cost& cost : costs) values.push_back(cost.*value);
    return Median(values);
  };
  std::printf("%-30s %6.0f /s, processor time: server %5.0f us, worker %5.0f us\n", what,
              median(&Cost::per_second), median(&Cost::server_us), median(&Cost::worker_us));
}

// A server in a process of its own, and a worker in this one.
struct Pair {
  Pair(const Settings& settings, const std::string& through)
      : server(
            {"serve", absl::StrCat("--ids=", settings.ids), absl::StrCat("--through=", through)}),
        worker(settings, server.ReadLine()) {
    for (int round = 0; round < 2; ++round) worker.RowsPerSecond();  // makes the rows
  }
  Cost Rows() {
    return CostOf(server, worker, [&] { return worker.RowsPerSecond(); });
  }
  Cost Blocks() {
    return CostOf(server, worker, [&] { return worker.BlocksPerSecond(); });
  }

  Child server;
  Worker worker;
};

void Compare(const Settings& settings) {
  Pair pair(settings, settings.through);
  std::optional<Pair> socket, memory;
  if (!settings.rows_only && settings.through == "tcp") {
    socket.emplace(settings, "socket");
    memory.emplace(settings, "memory");
  }
  std::vector<Cost> rows, socket_rows, memory_rows, blocks;
  for (int round = 0; round < settings.rounds; ++round) {
    rows.push_back(pair.Rows());
    if (socket) socket_rows.push_back(socket->Rows());
    if (memory) memory_rows.push_back(memory->Rows());
    if (!settings.rows_only) blocks.push_back(pair.Blocks());
  }
  std::printf("push-pull of %llu ids of %llu, %u floats each\n",
              static_cast<unsigned long long>(settings.ids),
              static_cast<unsigned long long>(settings.universe), kDim);
  Print("rows", rows);
  if (socket) Print("rows, through a Unix socket", socket_rows);
  if (memory) Print("rows, through shared memory", memory_rows);
  if (!settings.rows_only) Print("dense blocks of as many floats", blocks);
}

Settings Parse(int argc, char** argv, int first) {
  Settings settings;
  for (int i = first; i < argc; ++i) {
    absl::string_view flag = argv[i];
    bool known = false;
    if (absl::ConsumePrefix(&flag, "--ids=")) known = absl::SimpleAtoi(flag, &settings.ids);
    if (absl::ConsumePrefix(&flag, "--universe="))
      known = absl::SimpleAtoi(flag, &settings.universe);
    if (absl::ConsumePrefix(&flag, "--seconds=")) known = absl::SimpleAtod(flag, &settings.seconds);
    if (absl::ConsumePrefix(&flag, "--rows_only="))
      known = absl::SimpleAtob(flag, &settings.rows_only);
    if (absl::ConsumePrefix(&flag, "--through=")) {
      settings.through = std::string(flag);
      known = flag == "tcp" || flag == "socket" || flag == "memory";
    }
    if (absl::ConsumePrefix(&flag, "--rounds=")) known = absl::SimpleAtoi(flag, &settings.rounds);
    if (!known || settings.rounds < 1 || settings.ids < 1) {
      Fail(absl::StrCat("cannot use ", argv[i],
                        "; flags: --ids=N --universe=N --seconds=S --rounds=N --rows_only=B "
                        "--through=tcp|socket|memory"));
    }
  }
  return settings;
}

}  // namespace
}  // namespace convoy::benchmarks

int main(int argc, char** argv) {
  using namespace convoy::benchmarks;
  convoy::ConfigureAllocator();
  convoy::ConfigureGrpc();
  const bool serve = argc > 1 && std::string_view(argv[1]) == "serve";
  const Settings settings = Parse(argc, argv, serve ? 2 : 1);
  if (serve) return Serve(settings);
  Compare(settings);
}
