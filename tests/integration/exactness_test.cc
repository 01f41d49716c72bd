// P1 with real processes: whatever the number of servers and workers, `convoy train` in mode sync
// ends with the bits of a plain loop over the same batches and slices.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "common/files/safetensors_reader.h"
#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/math/variable.h"
#include "common/optimizers/optimizer.h"
#include "common/optimizers/schedule.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"
#include "worker/data/batches.h"
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/layers/eigen.h"
#include "worker/models/model.h"
#include "worker/training_data.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kExamples = 203, kBatch = 32, kSlices = 4, kEpochs = 3;

// More settings of the sections `data` and `training`.
struct Settings {
  std::string data, training;
};

std::string JobText(const std::string& images, const Settings& more) {
  return "seed: 5\n"
         "data { train: \"" +
         images + "\" cache_dir: \"cache\" validation { fraction: 0.1 } " + more.data +
         "}\n"
         "model { mlp { hidden: 24 hidden: 12 activation: TANH dropout: 0.2 } }\n"
         "optimizer { adam {} learning_rate: 0.01 l2: 0.001 schedule { cosine {} warmup_examples: "
         "64 } }\n"
         "training { epochs: 3 batch_size: 32 slices: 4 " +
         more.training + "}\n";
}

// Gradients and weights of a plain loop, by variable.
class Plain final : public WeightSource, public GradientSink {
 public:
  explicit Plain(const std::vector<VariableSpec>& variables, uint64_t seed) {
    for (const VariableSpec& variable : variables) {
      weights.emplace_back(static_cast<size_t>(variable.size()));
      gradients.emplace_back(static_cast<size_t>(variable.size()));
      InitializeValues(variable, seed, 0, weights.back().span());
    }
  }
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return std::span<const float>(weights[static_cast<size_t>(variable)].span());
  }
  std::span<float> Gradient(int variable) override {
    return gradients[static_cast<size_t>(variable)].span();
  }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }

  std::vector<AlignedBuffer> weights, gradients;
};

std::vector<std::vector<float>> TrainPlainly(const v1::Job& job) {
  ConfigureEigen();
  const DataSets data = *OpenData(job.data(), job.seed(), nullptr);
  ModelInput input;
  input.features = data.train->features();
  input.shape = data.train->example_shape();
  input.classes = 4;
  input.seed = job.seed();
  const std::unique_ptr<Model> model = *MakeModel(job.model(), input, {});
  Plain plain(model->variables(), job.seed());
  const TrainingData training = *MakeTrainingData(job, *data.train, *model);
  ExampleReader reader(&training);
  const uint64_t n = training.epoch_size();
  const auto optimizer = *MakeOptimizer(*SettingsFor(job.optimizer(), "any"));
  std::vector<std::vector<AlignedBuffer>> slots(model->variables().size());
  for (size_t v = 0; v < slots.size(); ++v) {
    for (int s = 0; s < optimizer->num_slots(); ++s) slots[v].emplace_back(plain.weights[v].size());
  }
  uint64_t seen = 0;
  for (uint64_t step = 0; step < kEpochs * StepsPerEpoch(n, kBatch); ++step) {
    const EpochRange batch = BatchRange(step, n, kBatch);
    std::vector<std::vector<std::vector<float>>> sums;  // by slice and variable
    for (uint64_t slice = 0; slice < kSlices; ++slice) {
      Batch examples;
      EXPECT_TRUE(
          reader.Read(batch.epoch, SlicePositions(slice, kSlices, batch.positions), &examples)
              .ok());
      EXPECT_TRUE(model->Train(examples, plain, plain).ok());
      auto& of_slice = sums.emplace_back();
      for (const AlignedBuffer& g : plain.gradients)
        of_slice.emplace_back(g.span().begin(), g.span().end());
    }
    const double factor = ScheduleFactor(job.optimizer().schedule(), seen, n, kEpochs * n);
    for (size_t v = 0; v < slots.size(); ++v) {
      std::vector<float> sum(plain.weights[v].size());
      for (size_t i = 0; i < sum.size(); ++i) {
        const float left = sums[0][v][i] + sums[1][v][i], right = sums[2][v][i] + sums[3][v][i];
        sum[i] = left + right;
      }
      std::vector<float*> slot_data;
      for (AlignedBuffer& slot : slots[v]) slot_data.push_back(slot.data());
      optimizer->Apply({static_cast<float>(job.optimizer().learning_rate() * factor),
                        static_cast<int64_t>(step + 1),
                        static_cast<float>(1.0 / static_cast<double>(batch.positions.size()))},
                       {sum.data(), plain.weights[v].data(), plain.weights[v].data(),
                        slot_data.data(), static_cast<int64_t>(sum.size())});
    }
    seen += batch.positions.size();
  }
  std::vector<std::vector<float>> result;
  for (const AlignedBuffer& w : plain.weights)
    result.emplace_back(w.span().begin(), w.span().end());
  return result;
}

struct ClusterSize {
  const char* servers;
  const char* workers;
  const char* threads = "1";  // of a worker
};

// Trains with each cluster and compares every bit of the weights with the plain loop.
void ExpectThePlainBits(const Settings& settings, const std::vector<ClusterSize>& clusters) {
  TemporaryFolder folder;
  const std::string images = WriteToyImages({.examples = kExamples}, folder / "toy");
  const std::string job_path = folder / "job.textproto";
  WriteFile(job_path, JobText(images, settings));
  const v1::Job job = ResolveDefaults(*LoadJob(job_path, {}));
  const std::vector<std::vector<float>> want = TrainPlainly(job);
  const std::vector<std::string> names = {"layer1/weight", "layer1/bias", "layer2/weight",
                                          "layer2/bias",   "head/weight", "head/bias"};
  std::string first;
  for (const auto& [servers, workers, threads] : clusters) {
    SCOPED_TRACE(std::string(servers) + " servers, " + workers + " workers of " + threads +
                 " threads");
    const std::string run =
        folder / (std::string("run-") + servers + "x" + workers + "x" + threads);
    const ProgramResult result = RunProgram({CONVOY_BINARY, "train", job_path, "--servers", servers,
                                             "--workers", workers, "--run-dir", run, "--set",
                                             std::string("cluster.threads_per_worker=") + threads});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const std::string bytes = ReadFile(run + "/model.safetensors");
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first);
    const auto file = *SafetensorsReader::Open(run + "/model.safetensors");
    for (size_t v = 0; v < names.size(); ++v) {
      const AlignedBuffer got = *file->Read(names[v]);
      EXPECT_EQ(std::vector<float>(got.span().begin(), got.span().end()), want[v]) << names[v];
    }
  }
}

TEST(ExactnessTest, AnyNumberOfServersAndWorkersEndsWithTheBitsOfThePlainLoop) {
  ExpectThePlainBits({}, {{"1", "1"},
                          {"1", "2"},
                          {"1", "4"},
                          {"2", "1"},
                          {"2", "2"},
                          {"2", "4"},
                          {"3", "1"},
                          {"3", "2"},
                          {"3", "4"}});
}

TEST(ExactnessTest, OversamplingClassWeightsAndAugmentationDoNotChangeThat) {
  ExpectThePlainBits({.data = "test { fraction: 0.1 } augment { flip: true crop: 2 noise: 0.1 }",
                      .training = "balance: OVERSAMPLE class_weights: [1, 2, 0.5, 1]"},
                     {{"1", "1"}, {"2", "4"}, {"3", "3"}});
}

TEST(ExactnessTest, AnyNumberOfThreadsOfAWorkerEndsWithThoseBitsToo) {
  ExpectThePlainBits(
      {}, {{"1", "1", "2"}, {"2", "1", "3"}, {"1", "1", "4"}, {"2", "2", "2"}, {"1", "3", "2"}});
  ExpectThePlainBits({.data = "augment { flip: true crop: 2 noise: 0.1 }",
                      .training = "balance: OVERSAMPLE class_weights: [1, 2, 0.5, 1]"},
                     {{"1", "1", "2"}, {"1", "2", "2"}});
}

std::string TrainAndRead(const TemporaryFolder& folder, const std::string& job,
                         const std::string& mode, const std::string& servers,
                         const std::string& workers, const std::string& threads = "1",
                         const std::string& more = "seed=5") {
  const std::string run =
      folder / ("run-" + mode + "-" + servers + "x" + workers + "x" + threads + more);
  const ProgramResult result = RunProgram({CONVOY_BINARY, "train", job, "--mode", mode, "--servers",
                                           servers, "--workers", workers, "--run-dir", run, "--set",
                                           "cluster.threads_per_worker=" + threads, "--set", more});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return ReadFile(run + "/model.safetensors");
}

TEST(ExactnessTest, SingleEndsWithTheBitsOfSync) {
  TemporaryFolder folder;
  const std::string job = folder / "job.textproto";
  WriteFile(job, JobText(WriteToyImages({.examples = kExamples}, folder / "toy"), {}));
  const std::string sync = TrainAndRead(folder, job, "sync", "2", "3");
  for (const char* threads : {"1", "2", "3"}) {
    EXPECT_EQ(TrainAndRead(folder, job, "single", "1", "1", threads), sync) << threads;
  }
}

TEST(ExactnessTest, LocalSgdDoesNotDependOnServersAndWorkers) {
  TemporaryFolder folder;
  const std::string job = folder / "job.textproto";
  WriteFile(job, JobText(WriteToyImages({.examples = kExamples}, folder / "toy"), {}));
  const std::string first = TrainAndRead(folder, job, "local_sgd:3", "1", "1");
  EXPECT_EQ(TrainAndRead(folder, job, "local_sgd:3", "2", "2"), first);
  EXPECT_EQ(TrainAndRead(folder, job, "local_sgd:3", "3", "4"), first);
  EXPECT_EQ(TrainAndRead(folder, job, "local_sgd:3", "1", "1", "3"), first);
  EXPECT_EQ(TrainAndRead(folder, job, "local_sgd:3", "1", "2", "2"), first);
  EXPECT_NE(TrainAndRead(folder, job, "local_sgd:2", "1", "1"), first);
}

TEST(ExactnessTest, ThreadsClipEachSliceAsOneThreadDoes) {
  TemporaryFolder folder;
  const std::string job = folder / "job.textproto";
  WriteFile(job, JobText(WriteToyImages({.examples = kExamples}, folder / "toy"), {}));
  const std::string clip = "optimizer.clip_norm=0.05";
  const std::string one = TrainAndRead(folder, job, "sync", "1", "1", "1", clip);
  EXPECT_NE(one, TrainAndRead(folder, job, "sync", "1", "1"));
  EXPECT_EQ(TrainAndRead(folder, job, "sync", "1", "1", "2", clip), one);
  EXPECT_EQ(TrainAndRead(folder, job, "sync", "2", "2", "2", clip), one);
  EXPECT_EQ(TrainAndRead(folder, job, "single", "1", "1", "4", clip), one);
}

}  // namespace
}  // namespace convoy::testing
