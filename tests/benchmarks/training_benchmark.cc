// Training end to end with real processes: MLP 784-128-10 on Fashion-MNIST, batch 64 a worker,
// plain SGD; `convoy train` against one plain Eigen loop, that loop with as many bytes exchanged
// through a bare gRPC stream, the product's own model without servers, and PyTorch's
// DistributedDataParallel where it is installed. All take turns within one run; what is printed are
// medians, and medians of the ratios within a round.
//
//   training_benchmark [--rounds=3] [--epochs=4] [--python=/usr/bin/python3]
//
// A child, `serve`, is the server of the bare stream and prints its address.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/aligned_buffer.h"
#include "common/allocator.h"
#include "common/net/grpc_process.h"
#include "tests/benchmarks/bare_stream.h"
#include "tests/benchmarks/child.h"
#include "tests/benchmarks/plain_mlp.h"
#include "tests/testing/run_program.h"
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/layers/eigen.h"
#include "worker/models/model.h"

namespace convoy::benchmarks {

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "training_benchmark: " << what << "\n";
  std::exit(1);
}

namespace {

constexpr char kImages[] = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
constexpr uint64_t kBatch = 64;
constexpr float kRate = 0.05f;

struct Settings {
  int rounds = 3;
  uint64_t epochs = 4;
  std::string python = "/usr/bin/python3";
};

// The weights of the net, 784 * 128 + 128 + 128 * 10 + 10, as two blocks.
const Tensor kWeights{50885, 2, 2};

double Now() { return absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()); }

// ---- without servers

// Weights and gradients in this process's memory, updated as soon as a piece of a gradient is
// there.
class LocalWeights : public WeightSource, public GradientSink {
 public:
  explicit LocalWeights(const std::vector<VariableSpec>& variables) {
    for (const VariableSpec& spec : variables) {
      weights_.emplace_back(static_cast<size_t>(spec.size()));
      gradients_.emplace_back(static_cast<size_t>(spec.size()));
      InitializeValues(spec, 1, 0, weights_.back().span());
    }
  }
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return weights_[At(variable)].span();
  }
  std::span<float> Gradient(int variable) override { return gradients_[At(variable)].span(); }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    float* weights = weights_[At(variable)].data();
    const float* gradient = gradients_[At(variable)].data();
    for (int64_t i = begin; i < end; ++i) weights[i] -= kRate / kBatch * gradient[i];
    return absl::OkStatus();
  }

 private:
  static size_t At(int variable) { return static_cast<size_t>(variable); }
  std::vector<AlignedBuffer> weights_, gradients_;
};

class LocalTraining {
 public:
  LocalTraining() {
    ConfigureEigen();
    v1::Data data;
    data.set_train(kImages);
    absl::StatusOr<DataSets> sets = OpenData(data, 1, nullptr);
    if (!sets.ok()) Fail(std::string(sets.status().message()));
    data_ = *std::move(sets);
    ModelInput input;
    input.features = 784;
    input.shape = data_.train->example_shape();
    input.classes = 10;
    v1::Model config;
    config.mutable_mlp()->add_hidden(128);
    model_ = *MakeModel(config, input, {});
    training_.examples = data_.train.get();
    training_.model = model_.get();
    ExampleReader reader(&training_);
    if (!reader.Read(0, {0, Examples()}, &shuffled_).ok()) Fail("the images cannot be read");
  }

  uint64_t Examples() const { return static_cast<uint64_t>(data_.train->size()); }

  // Samples per second, one epoch. `exchange` is called after each step.
  double PlainLoop(const std::function<void()>& exchange = [] {}) const {
    PlainMlp mlp(784, 128, 10);
    double loss = 0;
    const double start = Now();
    for (uint64_t i = 0; i + kBatch <= Examples(); i += kBatch) {
      loss +=
          mlp.Step(shuffled_.dense.data() + i * 784, shuffled_.labels.data() + i, kBatch, kRate);
      exchange();
    }
    const double seconds = Now() - start;
    if (!(loss / static_cast<double>(Examples() / kBatch) < 1))
      Fail("the plain loop does not learn");
    return static_cast<double>(Examples()) / seconds;
  }

  // The product's data path and model.
  double OwnModel() const {
    LocalWeights weights(model_->variables());
    ExampleReader reader(&training_);
    Batch batch;
    const double start = Now();
    for (uint64_t i = 0; i + kBatch <= Examples(); i += kBatch) {
      if (!reader.Read(0, {i, i + kBatch}, &batch).ok() ||
          !model_->Train(batch, weights, weights).ok())
        Fail("training");
    }
    return static_cast<double>(Examples()) / (Now() - start);
  }

 private:
  DataSets data_;
  std::unique_ptr<Model> model_;
  TrainingData training_;  // in the order of epoch 0
  Batch shuffled_;
};

// The plain loop on the worker's side of a bare stream to a server process: what is left of the
// loop when every step sends its gradient and gets the weights, without anything that the product
// does. `overlap`: the next batch is computed before the weights are there, as `async` does.
double BareExchange(const LocalTraining& local, bool overlap) {
  Child server({"serve"});
  BareStreamClient client(kWeights, {server.ReadLine()});
  return local.PlainLoop([&] {
    client.Step();
    if (overlap) {
      client.Flush();
    } else {
      client.Wait();
    }
  });
}

// ---- with servers

// `threads`: of each worker; each thread computes 64 examples.
double Convoy(const std::string& mode, int servers, int workers, int threads, uint64_t epochs) {
  const testing::TemporaryFolder folder;
  testing::WriteFile(
      folder / "job.textproto",
      absl::StrCat("data { train: \"", kImages, "\" }\nmodel { mlp { hidden: 128 } }\n",
                   "optimizer { sgd {} learning_rate: ", kRate, " }\n", "training { mode: \"", mode,
                   "\" epochs: ", epochs,
                   " batch_size: ", kBatch * static_cast<uint64_t>(workers * threads), " }\n",
                   "cluster { servers: ", servers, " workers: ", workers,
                   " threads_per_worker: ", threads, " }\n"));
  const testing::ProgramResult result = testing::RunProgram(
      {CONVOY_BINARY, "train", folder / "job.textproto", "--run-dir", folder / "run"});
  if (result.exit_code != 0) Fail(result.output);
  const auto summary = nlohmann::json::parse(testing::ReadFile(folder / "run/summary.json"));
  return summary["examples_per_second"];
}

double TorchDdp(const std::string& python, uint64_t epochs) {
  const testing::ProgramResult result =
      testing::RunProgram({python, CONVOY_SOURCE "/tests/benchmarks/torch_ddp.py",
                           absl::StrCat(kBatch), absl::StrCat(epochs)});
  const size_t last = result.output.rfind("samples/s ");
  if (result.exit_code != 0 || last == std::string::npos) Fail(result.output);
  return std::atof(result.output.c_str() + last + 10);
}

// ---- the table

struct Row {
  std::string name;
  std::function<double()> measure;  // samples per second
  std::string target;
  std::vector<double> rates;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Print(const std::vector<Row>& rows) {
  std::printf("%-30s %10s %16s  %s\n", "", "samples/s", "/ plain loop", "target");
  for (const Row& row : rows) {
    std::vector<double> ratios;
    for (size_t i = 0; i < row.rates.size(); ++i) ratios.push_back(row.rates[i] / rows[0].rates[i]);
    std::printf("%-30s %10.0f %16.2f  %s\n", row.name.c_str(), Median(row.rates), Median(ratios),
                row.target.c_str());
  }
}

void Run(const Settings& settings) {
  const LocalTraining local;
  const auto convoy = [&](const char* mode, int workers, int threads = 1) {
    return [=] { return Convoy(mode, 1, workers, threads, settings.epochs); };
  };
  std::vector<Row> rows = {
      {"plain Eigen loop", [&] { return local.PlainLoop(); }, "", {}},
      {"product's model, no servers", [&] { return local.OwnModel(); }, "", {}},
      {"loop, bare stream, overlapped", [&] { return BareExchange(local, true); }, "", {}},
      {"loop, bare stream, waiting", [&] { return BareExchange(local, false); }, "", {}},
      {"async, 1 server + 1 worker", convoy("async", 1), "0.75 of the loop", {}},
      {"sync, 1 server + 1 worker", convoy("sync", 1), "0.45 of the loop", {}},
      {"async, 1 server + 2 workers", convoy("async", 2), "75,000 samples/s", {}},
      {"sync, 1 server + 2 workers", convoy("sync", 2), "60,000 samples/s", {}},
      {"async, 1 + 1 of 2 threads", convoy("async", 1, 2), "", {}},
      {"sync, 1 + 1 of 2 threads", convoy("sync", 1, 2), "", {}},
  };
  const bool torch = testing::RunProgram({settings.python, "-c", "import torch"}).exit_code == 0;
  if (torch) {
    rows.push_back({"PyTorch DDP (gloo), 2",
                    [&] { return TorchDdp(settings.python, settings.epochs); },
                    "",
                    {}});
  }
  for (int round = 0; round < settings.rounds; ++round) {
    for (Row& row : rows) row.rates.push_back(row.measure());
  }
  std::printf("MLP 784-128-10, Fashion-MNIST, batch 64 a worker, SGD; medians of %d rounds\n",
              settings.rounds);
  Print(rows);
  if (!torch)
    std::printf("PyTorch DDP: skipped: not installed (python3-torch, libopenblas0-serial)\n");
}

Settings ParseSettings(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    bool known = false;
    if (absl::ConsumePrefix(&flag, "--rounds="))
      known = absl::SimpleAtoi(flag, &settings.rounds) && settings.rounds > 0;
    if (absl::ConsumePrefix(&flag, "--epochs="))
      known = absl::SimpleAtoi(flag, &settings.epochs) && settings.epochs > 0;
    if (absl::ConsumePrefix(&flag, "--python=")) known = true, settings.python = std::string(flag);
    if (!known)
      Fail(absl::StrCat("cannot use ", argv[i], "; flags: --rounds=N --epochs=N --python=PATH"));
  }
  return settings;
}

}  // namespace
}  // namespace convoy::benchmarks

int main(int argc, char** argv) {
  convoy::ConfigureAllocator();
  convoy::ConfigureGrpc();
  if (argc == 2 && std::string(argv[1]) == "serve") {
    const convoy::benchmarks::BareStreamServer server(convoy::benchmarks::kWeights);
    std::cout << server.address() << std::endl;
    std::cin.ignore(1 << 20, EOF);
    return 0;
  }
  convoy::benchmarks::Run(convoy::benchmarks::ParseSettings(argc, argv));
}
