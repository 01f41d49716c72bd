// Push-pull over TCP on loopback: the product against a bare gRPC stream and a plain socket, all
// with servers and workers in processes of their own, in turns within one run; beside them the
// product with checksums, through a Unix socket, and through shared memory. What is printed are
// medians over the rounds, and medians of the ratios within a round.
//
//   transport_benchmark [--rounds=7] [--seconds=0.4]
//
// Children run the same program: `serve PARTY BLOCK_FLOATS BLOCKS WINDOW WORKERS WHOLE RANK
// SERVERS` prints the address, and `work PARTY BLOCK_FLOATS BLOCKS WINDOW WORKERS WHOLE RANK
// SECONDS ADDRESS...` prints bytes per second for each line it reads.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/allocator.h"
#include "common/net/grpc_process.h"
#include "tests/benchmarks/child.h"
#include "tests/benchmarks/push_pull.h"
#include "tests/benchmarks/thread_sleeps.h"

namespace convoy::benchmarks {

void Fail(const std::string& what) {
  std::cerr << "transport_benchmark: " << what << "\n";
  std::exit(1);
}

namespace {

struct Settings {
  int rounds = 7;
  double seconds = 0.4;  // of one party in one round
};

std::vector<Party> Parties() {
  return {ProductParty(),        BareStreamParty(),   PlainSocketParty(),
          CheckedProductParty(), LocalProductParty(), SharingProductParty()};
}

double Now() { return absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()); }

double CpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}
double Median(const std::vector<double>& values) { return Quantile(values, 0.5); }

std::vector<double> Ratios(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return ratios;
}

std::vector<std::string> Arguments(const std::string& role, size_t party, const Tensor& t,
                                   int rank) {
  return {role,
          absl::StrCat(party),
          absl::StrCat(t.block_floats),
          absl::StrCat(t.blocks),
          absl::StrCat(t.window),
          absl::StrCat(t.workers),
          absl::StrCat(t.whole ? 1 : 0),
          absl::StrCat(rank)};
}

std::unique_ptr<Child> StartServer(size_t party, const Tensor& tensor, int rank, int servers) {
  std::vector<std::string> arguments = Arguments("serve", party, tensor, rank);
  arguments.push_back(absl::StrCat(servers));
  return std::make_unique<Child>(arguments);
}

// Steps for `seconds`; bytes each way per second.
double Throughput(PushPullClient& client, const Tensor& tensor, double seconds) {
  int64_t steps = 0;
  const double start = Now();
  while (Now() - start < seconds) {
    client.Step();
    if (tensor.whole) client.Wait();
    ++steps;
  }
  client.Wait();
  return static_cast<double>(steps * tensor.bytes()) / (Now() - start);
}

// ---- one server, one worker

struct Running {
  std::unique_ptr<Child> server;
  std::unique_ptr<PushPullClient> client;  // destroyed first
  std::vector<double> rates;               // bytes each way per second, by round
  std::vector<double> cpu;                 // seconds of both processes per GB each way
};

std::vector<Running> StartAll(const Tensor& tensor) {
  std::vector<Running> all;
  const std::vector<Party> parties = Parties();
  for (size_t p = 0; p < parties.size(); ++p) {
    Running& running = all.emplace_back();
    running.server = StartServer(p, tensor, 0, 1);
    running.client = parties[p].connect(tensor, 0, {running.server->ReadLine()});
    Throughput(*running.client, tensor, 0.05);  // warm
  }
  return all;
}

// The first part of a line: product, bare stream, socket, and their ratios.
void PrintLimits(const std::string& name, const double (&values)[3], const char* unit,
                 double by_bare, double by_socket) {
  std::printf("%-34s %9.3f %9.3f %9.3f %-6s %6.2f %6.2f  ", name.c_str(), values[0], values[1],
              values[2], unit, by_bare, by_socket);
}

// The rest: other ways of the product beside the first one.
void PrintOthers(double checked, double local, double sharing) {
  std::printf("  %5.2f %5.2f %5.2f\n", checked, local, sharing);
  std::fflush(stdout);
}

void PrintRow(const std::string& name, const std::vector<Running>& all, double scale,
              const char* unit) {
  const auto ratio = [&all](size_t a, size_t b) {
    return Median(Ratios(all[a].rates, all[b].rates));
  };
  PrintLimits(
      name,
      {Median(all[0].rates) * scale, Median(all[1].rates) * scale, Median(all[2].rates) * scale},
      unit, ratio(0, 1), ratio(0, 2));
  for (const size_t p : {0, 1, 2, 4, 5}) std::printf(" %5.2f", Median(all[p].cpu));
  PrintOthers(ratio(3, 0), ratio(4, 0), ratio(5, 0));
}

void CompareThroughput(const std::string& name, const Tensor& tensor, const Settings& settings) {
  std::vector<Running> all = StartAll(tensor);
  for (int round = 0; round < settings.rounds; ++round) {
    for (Running& party : all) {
      const double cpu = CpuSeconds() + party.server->CpuSeconds(), start = Now();
      party.rates.push_back(Throughput(*party.client, tensor, settings.seconds));
      const double gigabytes = party.rates.back() * (Now() - start) / 1e9;
      party.cpu.push_back((CpuSeconds() + party.server->CpuSeconds() - cpu) / gigabytes);
    }
  }
  const bool small = tensor.block_floats <= 1024;
  PrintRow(name, all, small ? 1.0 / (4e3 * static_cast<double>(tensor.block_floats)) : 1e-9,
           small ? "k op/s" : "GB/s");
}

// One block, nothing else in flight. The state of the machine (do its cores sleep between
// messages?) is the same for all.
void CompareLatency(const Settings& settings) {
  const Tensor tensor{1024, 1, 1};
  std::vector<Running> all = StartAll(tensor);
  std::vector<std::vector<double>> microseconds(all.size());
  for (int round = 0; round < settings.rounds; ++round) {
    for (size_t p = 0; p < all.size(); ++p) {
      for (int i = 0; i < 1000; ++i) {
        const double start = Now();
        all[p].client->Step();
        all[p].client->Wait();
        microseconds[p].push_back(1e6 * (Now() - start));
      }
    }
  }
  for (const double q : {0.5, 0.99}) {
    const auto of = [&](size_t p) { return Quantile(microseconds[p], q); };
    PrintLimits(absl::StrCat("4 KB alone, p", q * 100), {of(0), of(1), of(2)}, "us", of(0) / of(1),
                of(0) / of(2));
    std::printf("%30s", "");
    PrintOthers(of(3) / of(0), of(4) / of(0), of(5) / of(0));
  }
}

// How often a thread of either process goes to sleep, and so has to be woken up, for one push-pull
// of 4 KB with nothing else in flight. Threads that do so less than once in a hundred push-pulls
// are added up.
void CountSleeps() {
  constexpr int kSteps = 10000;
  const Tensor tensor{1024, 1, 1};
  std::vector<Running> all = StartAll(tensor);
  const std::vector<Party> parties = Parties();
  for (size_t p = 0; p < all.size(); ++p) {
    const std::vector<ThreadSleeps> client = SleepsOf(getpid()),
                                    server = SleepsOf(all[p].server->pid());
    for (int i = 0; i < kSteps; ++i) {
      all[p].client->Step();
      all[p].client->Wait();
    }
    std::printf("%s, sleeps a push-pull: worker %s; server %s\n", parties[p].name.c_str(),
                Describe(SleepsSince(client, SleepsOf(getpid())), kSteps).c_str(),
                Describe(SleepsSince(server, SleepsOf(all[p].server->pid())), kSteps).c_str());
  }
}

// ---- several servers and workers

double RunWorkers(std::vector<std::unique_ptr<Child>>& workers) {
  for (const auto& worker : workers) worker->WriteLine("go");
  double sum = 0;
  for (const auto& worker : workers) sum += std::atof(worker->ReadLine().c_str());
  return sum;
}

void CompareClusters(const Tensor& tensor, int servers, const Settings& settings) {
  // The product, the bare stream, the product through Unix sockets, and through shared memory.
  constexpr size_t kCompared[] = {0, 1, 4, 5};
  constexpr size_t kParties = std::size(kCompared);
  std::vector<std::unique_ptr<Child>> server_processes[kParties], workers[kParties];
  for (size_t p = 0; p < kParties; ++p) {
    std::vector<std::string> addresses;
    for (int rank = 0; rank < servers; ++rank) {
      server_processes[p].push_back(StartServer(kCompared[p], tensor, rank, servers));
      addresses.push_back(server_processes[p].back()->ReadLine());
    }
    for (int worker = 0; worker < tensor.workers; ++worker) {
      std::vector<std::string> arguments = Arguments("work", kCompared[p], tensor, worker);
      arguments.push_back(absl::StrCat(settings.seconds));
      arguments.insert(arguments.end(), addresses.begin(), addresses.end());
      workers[p].push_back(std::make_unique<Child>(arguments));
    }
    RunWorkers(workers[p]);  // warm
  }
  std::vector<double> rates[kParties];
  for (int round = 0; round < settings.rounds; ++round) {
    for (size_t p = 0; p < kParties; ++p) rates[p].push_back(RunWorkers(workers[p]));
  }
  const auto ratio = [&rates](size_t a, size_t b) { return Median(Ratios(rates[a], rates[b])); };
  std::printf("%-34s %9.3f %9.3f %9s %-6s %6.2f %46s %5.2f %5.2f\n",
              absl::StrCat(servers, " servers x ", tensor.workers, " workers, 1 MB, sum").c_str(),
              Median(rates[0]) * 1e-9, Median(rates[1]) * 1e-9, "", "GB/s", ratio(0, 1), "",
              ratio(2, 0), ratio(3, 0));
  for (auto& processes : workers) processes.clear();
}

void CompareAll(const Settings& settings) {
  std::printf(
      "Push-pull, each way; medians of %d rounds of %.1f s; CPU: seconds of both processes per GB "
      "each way\n",
      settings.rounds, settings.seconds);
  std::printf("%-34s %9s %9s %9s %-6s %6s %6s   %s\n", "", "product", "bare gRPC", "socket", "",
              "/bare", "/sock",
              "CPU: product, bare, socket, product by Unix socket and shared memory; product with "
              "checksums, by Unix socket, by shared memory / product");
  CompareLatency(settings);
  CountSleeps();
  CompareThroughput("4 KB blocks, 16 in flight", {1024, 16, 16}, settings);
  CompareThroughput("64 KB blocks, 8 in flight", {16384, 8, 8}, settings);
  CompareThroughput("256 KB blocks, 4 in flight", {65536, 4, 4}, settings);
  CompareThroughput("1 MB tensor, 256 KB blocks", {65536, 4, 4, 1, true}, settings);
  CompareThroughput("16 MB tensor, 256 KB blocks", {65536, 64, 4, 1, true}, settings);
  CompareClusters({65536, 4, 4, 2, true}, 2, settings);
}

// ---- children

Tensor TensorOf(char** arguments) {
  return {std::atoll(arguments[0]), std::atoll(arguments[1]), std::atoll(arguments[2]),
          std::atoi(arguments[3]), std::atoi(arguments[4]) != 0};
}

int Serve(char** arguments) {
  const Party party = Parties()[static_cast<size_t>(std::atoi(arguments[0]))];
  const auto server =
      party.serve(TensorOf(arguments + 1), std::atoi(arguments[6]), std::atoi(arguments[7]));
  std::cout << server->address() << std::endl;
  std::cin.ignore(1 << 20, EOF);
  return 0;
}

int Work(int count, char** arguments) {
  const Party party = Parties()[static_cast<size_t>(std::atoi(arguments[0]))];
  const Tensor tensor = TensorOf(arguments + 1);
  const double seconds = std::atof(arguments[7]);
  const auto client =
      party.connect(tensor, std::atoi(arguments[6]), {arguments + 8, arguments + count});
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << Throughput(*client, tensor, seconds) << std::endl;
  }
  return 0;
}

Settings ParseSettings(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    const bool known =
        absl::ConsumePrefix(&flag, "--rounds=")    ? absl::SimpleAtoi(flag, &settings.rounds)
        : absl::ConsumePrefix(&flag, "--seconds=") ? absl::SimpleAtod(flag, &settings.seconds)
                                                   : false;
    if (!known || settings.rounds < 1)
      Fail(absl::StrCat("cannot use ", argv[i], "; flags: --rounds=N --seconds=S"));
  }
  return settings;
}

}  // namespace
}  // namespace convoy::benchmarks

int main(int argc, char** argv) {
  using namespace convoy::benchmarks;
  convoy::ConfigureAllocator();
  convoy::ConfigureGrpc();
  const std::string role = argc > 1 ? argv[1] : "";
  if (role == "serve" && argc == 10) return Serve(argv + 2);
  if (role == "work" && argc > 10) return Work(argc - 2, argv + 2);
  CompareAll(ParseSettings(argc, argv));
}
