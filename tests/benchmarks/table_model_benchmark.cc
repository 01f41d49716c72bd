// Training speed of the models with tables on one core, without servers: loss and gradients of a
// batch whose rows are in memory. 1,000 examples x 39 values of as many fields, 44 % of them
// repeats, as criteo_like has it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/math/random.h"
#include "common/math/table.h"
#include "worker/layers/eigen.h"
#include "worker/models/batch_parameters.h"
#include "worker/models/model.h"

namespace convoy {
namespace {

constexpr int64_t kSize = 1000, kFields = 39;

// Of 744 ids a field drawn evenly 1,000 times, 744 (1 - exp(-1000 / 744)) = 550 differ.
Batch MakeBatch(uint64_t seed, int64_t fields) {
  Batch batch;
  batch.size = kSize;
  batch.sparse = true;
  batch.row_offsets = {0};
  const RandomStream random(seed, "ids");
  for (int64_t i = 0; i < kSize; ++i) {
    for (int64_t field = 0; field < fields; ++field) {
      const uint64_t category = random.Below(static_cast<uint64_t>(i * fields + field), 744);
      batch.ids.push_back(HashId(static_cast<uint64_t>(field) << 32 | category));
      batch.fields.push_back(static_cast<uint32_t>(field));
      batch.values.push_back(1);
    }
    batch.row_offsets.push_back(static_cast<int64_t>(batch.values.size()));
    batch.labels.push_back(static_cast<float>(i % 2));
    batch.examples.push_back(static_cast<uint64_t>(i));
  }
  return batch;
}

void Train(benchmark::State& state, const std::function<void(v1::Model*)>& choose,
           int64_t fields = kFields) {
  ConfigureEigen();
  v1::Model config;
  choose(&config);
  ModelInput input;
  input.sparse = true;
  input.fields = fields;
  const auto model = *MakeModel(config, input, {});
  // Several batches, so that rows do not stay in the innermost caches.
  std::vector<Batch> batches;
  std::vector<std::unique_ptr<BatchParameters>> parameters;
  for (uint64_t b = 0; b < 8; ++b) {
    batches.push_back(MakeBatch(b, fields));
    parameters.push_back(std::make_unique<BatchParameters>(*model, batches.back(), 1));
  }
  size_t next = 0;
  for (auto _ : state) {
    const size_t b = next++ % batches.size();
    const auto output = model->Train(batches[b], *parameters[b], *parameters[b]);
    if (!output.ok()) state.SkipWithError("training failed");
    benchmark::DoNotOptimize(output->loss);
  }
  state.SetItemsProcessed(state.iterations() * kSize);
}

void BM_TrainSparseLogistic(benchmark::State& state) {
  Train(state, [](v1::Model* m) { m->mutable_sparse_logistic(); });
}
BENCHMARK(BM_TrainSparseLogistic)->Unit(benchmark::kMicrosecond);

// Argument: factors.
void BM_TrainFactorizationMachine(benchmark::State& state) {
  Train(state, [&](v1::Model* m) {
    m->mutable_factorization_machine()->set_factors(static_cast<uint32_t>(state.range(0)));
  });
}
BENCHMARK(BM_TrainFactorizationMachine)->Arg(8)->Arg(10)->Arg(16)->Unit(benchmark::kMicrosecond);

// 8 factors, 312-128-64-1.
void BM_TrainDeepFm(benchmark::State& state) {
  Train(state, [](v1::Model* m) { m->mutable_deep_fm(); });
}
BENCHMARK(BM_TrainDeepFm)->Unit(benchmark::kMicrosecond);

void BM_TrainWideAndDeep(benchmark::State& state) {
  Train(state, [](v1::Model* m) { m->mutable_wide_and_deep(); });
}
BENCHMARK(BM_TrainWideAndDeep)->Unit(benchmark::kMicrosecond);

// 20 factors.
void BM_TrainMatrixFactorization(benchmark::State& state) {
  Train(
      state, [](v1::Model* m) { m->mutable_matrix_factorization(); }, 2);
}
BENCHMARK(BM_TrainMatrixFactorization)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace convoy
