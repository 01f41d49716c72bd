// Initial values of a variable of 256 KiB, the unit in which servers make them, and the order of an
// epoch.
#include <benchmark/benchmark.h>

#include "common/aligned_buffer.h"
#include "common/math/random.h"
#include "common/math/variable.h"

namespace convoy {
namespace {

void Initialize(benchmark::State& state, Initializer initializer) {
  const VariableSpec spec{"layer1/weight", {256, 256}, initializer};
  AlignedBuffer values(static_cast<size_t>(spec.size()));
  for (auto _ : state) {
    InitializeValues(spec, 1, 0, values.span());
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * spec.size() * static_cast<int64_t>(sizeof(float)));
}
BENCHMARK_CAPTURE(Initialize, Uniform, Initializer::GlorotUniform(256, 256));
BENCHMARK_CAPTURE(Initialize, Normal, Initializer::HeNormal(256));

void Permutation(benchmark::State& state) {
  uint64_t epoch = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        SeededPermutation(static_cast<uint64_t>(state.range(0)), 1, "data", epoch++));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Permutation)->Arg(60'000)->Arg(10'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace convoy
