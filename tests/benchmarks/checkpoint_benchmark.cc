// What checkpoints cost, each figure beside its limit, taken in turns in one run:
//   save   a server's file of 50 million weights with Adam's two slots, against writing and syncing
//   as many bytes load   10 million rows of 16 with Adagrad, against reading the file with its
//   checksum stall  steps of `sync` with 50 million weights while one checkpoint after the other is
//   saved, against steps alone;
//          the server is a process of its own
//
//   checkpoint_benchmark [save|load|stall]... [--folder=DIR] [--rounds=3] [--weights=50000000]
//   [--rows=10000000] [--steps=100]
//
// DIR: where the files go; that of temporary files. `serve` is the child's.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/aligned_buffer.h"
#include "common/allocator.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/commit_checkpoint.h"
#include "common/checkpoint/manifest.h"
#include "common/files/file_hash.h"
#include "common/files/owned_fd.h"
#include "common/math/random.h"
#include "common/net/grpc_process.h"
#include "common/placement/placement.h"
#include "ps/parameter_service.h"
#include "ps/server_core.h"
#include "ps/shard_file.h"
#include "ps/shard_restore.h"
#include "tests/benchmarks/child.h"
#include "tests/benchmarks/push_pull.h"
#include "worker/parameter_client.h"

namespace convoy::benchmarks {

void Fail(const std::string& what) {
  std::cerr << "checkpoint_benchmark: " << what << "\n";
  std::exit(1);
}

namespace {

constexpr uint32_t kDim = 16;

struct Settings {
  std::vector<std::string> parts;
  std::string folder = std::filesystem::temp_directory_path();
  int rounds = 3;
  int64_t weights = 50'000'000;
  uint64_t rows = 10'000'000;
  int64_t steps = 100;
};

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(std::string(status.message()));
}

template <typename T>
T Get(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

double Now() { return absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()); }

template <typename Operation>
double SecondsOf(Operation operation) {
  const double start = Now();
  operation();
  return Now() - start;
}

double Quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(share * static_cast<double>(values.size())))];
}

// A folder for the files of one part, removed at the end.
class Folder {
 public:
  explicit Folder(const std::string& above)
      : path_(absl::StrCat(above, "/checkpoint_benchmark.", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string Of(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

 private:
  const std::string path_;
};

// As large as `bytes`, in pieces of 1 MiB, synced.
void WritePlainly(const std::string& path, uint64_t bytes) {
  std::vector<char> piece(1 << 20);
  for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>(i * 2654435761u >> 24);
  const OwnedFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  for (uint64_t at = 0; at < bytes;) {
    const ssize_t written =
        ::write(file.get(), piece.data(), std::min<uint64_t>(piece.size(), bytes - at));
    if (written <= 0) Fail(absl::StrCat("cannot write ", path));
    at += static_cast<uint64_t>(written);
  }
  if (::fsync(file.get()) != 0) Fail(absl::StrCat("cannot sync ", path));
}

Placement DenseModel(const Settings& settings) {
  return Get(Placement::Create({{"w", {settings.weights}, Initializer::HeNormal(100)}}, 1));
}

void Save(const Settings& settings) {
  ServerCore::Options options;
  options.optimizer.mutable_adam();
  const auto core = Get(ServerCore::Create(options, DenseModel(settings)));
  std::vector<double> ratios;
  for (int round = 0; round < settings.rounds; ++round) {
    const Folder folder(settings.folder);
    ShardFile file;
    ::sync();  // what other programs have not written yet
    const double saved = SecondsOf([&] {
      core->shard().ArmSnapshot(kSnapshotNow);
      file = Get(WriteShard(core->shard(), core->placement(), 0, folder.Of("saved")));
    });
    ::sync();
    const double plain = SecondsOf([&] { WritePlainly(folder.Of("plain"), file.bytes); });
    const double mega = static_cast<double>(file.bytes) / 1e6;
    std::printf("save: %.0f MB in %.2f s, %.0f MB/s; written plainly %.0f MB/s: ratio %.2f\n", mega,
                saved, mega / saved, mega / plain, plain / saved);
    ratios.push_back(plain / saved);
  }
  std::printf("save: median of the ratios %.2f\n", Quantile(ratios, 0.5));
}

// Rows 0, 1, 2, ... by bucket.
void FillTable(TableShard& table, uint64_t rows) {
  std::vector<std::vector<uint64_t>> ids(kTableBuckets);
  for (uint64_t id = 0; id < rows; ++id) ids[BucketOf(id)].push_back(id);
  for (uint32_t b = 0; b < kTableBuckets; ++b) {
    BucketSnapshot snapshot;
    snapshot.rows.ids = std::move(ids[b]);
    const size_t count = snapshot.rows.ids.size();
    snapshot.rows.weights.assign(count * kDim, 0.5f);
    snapshot.rows.slots.assign(count * table.updater().slot_floats(), 1.5f);
    snapshot.rows.counters.assign(count * 2, 1);
    Check(table.bucket(b).Restore(snapshot));
  }
}

std::unique_ptr<ServerCore> TableServer() {
  ServerCore::Options options;
  options.optimizer.mutable_adagrad();
  return Get(ServerCore::Create(
      options, Get(Placement::Create({{"bias", {1}, Initializer::Zeros()}}, 1,
                                     {{"rows", {{"v", kDim, Initializer::HeNormal(16)}}}}))));
}

// The manifest that the coordinator would write of it.
CheckpointManifest ManifestOf(const ServerCore& core, const ShardFile& file) {
  CheckpointManifest manifest;
  manifest.mode = "sync";
  manifest.created = "2026-01-01T00:00:00Z";
  manifest.build = "benchmark";
  manifest.instruction_set = "any";
  manifest.job = "name: \"benchmark\"";
  manifest.variables = {{"bias", {1}}};
  manifest.slots = {{"bias", core.shard().optimizer(0).slot_names()}};
  manifest.tables = {
      {"rows", {{"v", kDim}}, {{"v/a", core.shard().table(0).updater().slot_floats()}}}};
  manifest.files = {{file.name, file.bytes, file.xxh3}};
  return manifest;
}

// The system's copy in memory goes.
void ForgetFile(const std::string& path) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (::fdatasync(file.get()) != 0 || ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED) != 0) {
    Fail(absl::StrCat("cannot forget ", path));
  }
}

void Load(const Settings& settings) {
  const Folder folder(settings.folder);
  {
    const auto core = TableServer();
    FillTable(core->shard().table(0), settings.rows);
    core->shard().ArmSnapshot(kSnapshotNow);
    const ShardFile file = Get(WriteShard(core->shard(), core->placement(), 0, folder.Of(".new")));
    Check(CommitCheckpoint(folder.Of(""), folder.Of(".new"), ManifestOf(*core, file)));
  }
  const std::string path = folder.Of("step-00000000");
  const std::string file = path + "/server-0-of-1.safetensors";
  for (int round = 0; round < 2 * settings.rounds; ++round) {
    const bool cold = round >= settings.rounds;
    FileHash hash;
    if (cold) ForgetFile(file);
    const double read = SecondsOf([&] { hash = Get(HashFile(file)); });
    const auto core = TableServer();
    if (cold) ForgetFile(file);
    const double loaded = SecondsOf([&] {
      const auto checkpoint = Get(CheckpointReader::Open(path));
      Check(RestoreShard(*checkpoint, core->placement(), 0, core->shard()));
    });
    if (core->Stats().rows() != settings.rows) Fail("not all rows were loaded");
    std::printf(
        "load, file %s: %.1f M rows, %.2f GB, in %.2f s; reading it with its checksum %.2f s: "
        "ratio %.2f\n",
        cold ? "on disk" : "in memory", 1e-6 * static_cast<double>(settings.rows),
        1e-9 * static_cast<double>(hash.bytes), loaded, read, loaded / read);
  }
}

// Saves one checkpoint after the other while it is told to.
class Saver {
 public:
  Saver(ServerCore* core, std::string folder) : core_(core), folder_(std::move(folder)) {}
  ~Saver() { Stop(); }

  void Start() {
    stopping_ = false;
    thread_ = std::thread([this] { Run(); });
  }
  void Stop() {
    stopping_ = true;
    core_->shard().DisarmSnapshot();
    if (thread_.joinable()) thread_.join();
  }
  int64_t saved() const { return saved_; }

 private:
  // As the coordinator does: a version that no cell has left yet, later if one was too fast.
  bool Arm() {
    for (uint64_t version = 0; !stopping_;) {
      const uint64_t beyond = core_->shard().ArmSnapshot(version);
      if (beyond == version) return true;
      version = beyond + 1;
    }
    return false;
  }
  void Run() {
    while (!stopping_) {
      if (!Arm() || !core_->shard().AwaitSnapshot()) continue;
      if (WriteShard(core_->shard(), core_->placement(), 0, folder_).ok()) ++saved_;
      core_->shard().DisarmSnapshot();
      std::filesystem::remove_all(folder_);
    }
  }

  ServerCore* const core_;
  const std::string folder_;
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> saved_{0};
  std::thread thread_;
};

// Prints its address, then obeys "save", "rest" and "count".
int Serve(const Settings& settings) {
  const Folder folder(settings.folder);
  const std::unique_ptr<ParameterService> service = Get(ParameterService::Start({}));
  ServerCore::Options options;
  options.job_id = 1;
  options.optimizer.mutable_momentum();
  const std::shared_ptr<ServerCore> core = Get(ServerCore::Create(options, DenseModel(settings)));
  service->Install(core);
  std::cout << service->address() << std::endl;
  Saver saver(core.get(), folder.Of("saved"));
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "save") saver.Start();
    if (line == "rest") saver.Stop();
    std::cout << saver.saved() << std::endl;
  }
  return 0;
}

class Worker {
 public:
  Worker(const Settings& settings, const std::string& address) {
    ParameterClient::Options options;
    options.job_id = 1;
    options.servers = {address};
    client_ = Get(ParameterClient::Connect(options, DenseModel(settings)));
    gradient_ = std::make_shared<AlignedBuffer>(settings.weights);
    std::fill(gradient_->span().begin(), gradient_->span().end(), 0.001f);
    Check(client_->PullAll(0));
    Check(client_->WaitForWeights());
  }

  // Seconds of each.
  std::vector<double> Steps(int64_t count) {
    std::vector<double> seconds;
    for (int64_t i = 0; i < count; ++i) seconds.push_back(SecondsOf([this] { Step(); }));
    return seconds;
  }

 private:
  void Step() {
    ParameterClient::PushHeader header;
    header.step = step_++;
    header.examples = 1;
    header.pull = true;
    Check(client_->BeginPush(header));
    Check(client_->PushUpTo(0, static_cast<int64_t>(gradient_->size()), gradient_->span(),
                            gradient_));
    Check(client_->EndPush());
    Check(client_->WaitForWeights());
  }

  std::unique_ptr<ParameterClient> client_;
  std::shared_ptr<AlignedBuffer> gradient_;
  uint64_t step_ = 0;
};

void Stall(const Settings& settings) {
  Child server({"serve", absl::StrCat("--folder=", settings.folder),
                absl::StrCat("--weights=", settings.weights)});
  Worker worker(settings, server.ReadLine());
  worker.Steps(5);
  const auto tell = [&](const char* what) {
    server.WriteLine(what);
    return std::atoll(server.ReadLine().c_str());
  };
  for (int round = 0; round < settings.rounds; ++round) {
    const std::vector<double> alone = worker.Steps(settings.steps);
    const int64_t before = tell("save");
    const std::vector<double> saving = worker.Steps(settings.steps);
    const int64_t saved = tell("rest") - before;
    std::printf(
        "stall: step alone p50 %.0f ms, p99 %.0f ms; while %lld checkpoints are saved p50 %.0f ms, "
        "p99 %.0f ms: ratio of "
        "p50 %.2f, of p99 %.2f\n",
        1e3 * Quantile(alone, 0.5), 1e3 * Quantile(alone, 0.99), static_cast<long long>(saved),
        1e3 * Quantile(saving, 0.5), 1e3 * Quantile(saving, 0.99),
        Quantile(saving, 0.5) / Quantile(alone, 0.5),
        Quantile(saving, 0.99) / Quantile(alone, 0.99));
    std::fflush(stdout);
  }
}

Settings Parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    bool known = flag == "save" || flag == "load" || flag == "stall" || flag == "serve";
    if (known) settings.parts.push_back(std::string(flag));
    if (absl::ConsumePrefix(&flag, "--folder=")) {
      settings.folder = std::string(flag);
      known = true;
    }
    if (absl::ConsumePrefix(&flag, "--rounds=")) known = absl::SimpleAtoi(flag, &settings.rounds);
    if (absl::ConsumePrefix(&flag, "--weights=")) known = absl::SimpleAtoi(flag, &settings.weights);
    if (absl::ConsumePrefix(&flag, "--rows=")) known = absl::SimpleAtoi(flag, &settings.rows);
    if (absl::ConsumePrefix(&flag, "--steps=")) known = absl::SimpleAtoi(flag, &settings.steps);
    if (!known || settings.rounds < 1 || settings.weights < 1 || settings.steps < 1) {
      Fail(absl::StrCat(
          "cannot use ", argv[i],
          "; save, load, stall; flags: --folder=DIR --rounds=N --weights=N --rows=N --steps=N"));
    }
  }
  if (settings.parts.empty()) settings.parts = {"save", "load", "stall"};
  return settings;
}

}  // namespace
}  // namespace convoy::benchmarks

int main(int argc, char** argv) {
  using namespace convoy::benchmarks;
  convoy::ConfigureAllocator();
  convoy::ConfigureGrpc();
  const Settings settings = Parse(argc, argv);
  for (const std::string& part : settings.parts) {
    if (part == "serve") return Serve(settings);
    if (part == "save") Save(settings);
    if (part == "load") Load(settings);
    if (part == "stall") Stall(settings);
  }
}
