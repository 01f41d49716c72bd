// Training speed of the built-in models on one core, without a cluster: forward, backward and a
// plain SGD step on each piece of a gradient as it is reported. Argument: the batch size.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/math/random.h"
#include "worker/layers/eigen.h"
#include "worker/models/model.h"

namespace convoy {
namespace {

constexpr float kRate = 1e-4f;

class PlainSgd : public WeightSource, public GradientSink {
 public:
  explicit PlainSgd(const std::vector<VariableSpec>& variables) {
    for (const VariableSpec& spec : variables) {
      weights_.emplace_back(spec.size());
      gradients_.emplace_back(spec.size());
      InitializeValues(spec, 1, 0, weights_.back().span());
    }
  }
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return weights_[variable].span();
  }
  std::span<float> Gradient(int variable) override { return gradients_[variable].span(); }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    float* weights = weights_[variable].data();
    const float* gradient = gradients_[variable].data();
    for (int64_t i = begin; i < end; ++i) weights[i] -= kRate * gradient[i];
    return absl::OkStatus();
  }

 private:
  std::vector<AlignedBuffer> weights_;
  std::vector<AlignedBuffer> gradients_;
};

// As many batches of uniform "pixels" as make 4,096 examples, so that data do not stay in the
// cache.
std::vector<Batch> MakeBatches(int64_t size) {
  std::vector<Batch> batches(4096 / size);
  uint64_t number = 0;
  for (Batch& batch : batches) {
    batch.size = size;
    batch.features = 784;
    batch.dense = AlignedBuffer(size * 784);
    RandomStream(1, "pixels", number).FillUniform(0, batch.dense.span());
    for (int64_t i = 0; i < size; ++i, ++number) {
      batch.examples.push_back(number);
      batch.labels.push_back(static_cast<float>(number % 10));
    }
  }
  return batches;
}

void Train(benchmark::State& state, const v1::Model& config) {
  ConfigureEigen();
  ModelInput input;
  input.features = 784;
  input.shape = {28, 28, 1};
  input.classes = 10;
  const auto model = *MakeModel(config, input, {});
  PlainSgd parameters(model->variables());
  const std::vector<Batch> batches = MakeBatches(state.range(0));
  size_t next = 0;
  for (auto _ : state) {
    const auto output = model->Train(batches[next++ % batches.size()], parameters, parameters);
    if (!output.ok()) state.SkipWithError("training failed");
    benchmark::DoNotOptimize(output->loss);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// 784-128-10.
void BM_TrainMlp(benchmark::State& state) {
  v1::Model config;
  config.mutable_mlp();
  Train(state, config);
}
BENCHMARK(BM_TrainMlp)->Arg(64)->Arg(256);

void BM_TrainMlpWithGeluAndDropout(benchmark::State& state) {
  v1::Model config;
  config.mutable_mlp()->set_activation(v1::GELU);
  config.mutable_mlp()->set_dropout(0.2);
  Train(state, config);
}
BENCHMARK(BM_TrainMlpWithGeluAndDropout)->Arg(64);

// Channels 8 and 16, 64 hidden units.
void BM_TrainConvNet(benchmark::State& state) {
  v1::Model config;
  config.mutable_conv_net();
  Train(state, config);
}
BENCHMARK(BM_TrainConvNet)->Arg(64)->Arg(256);

}  // namespace
}  // namespace convoy
