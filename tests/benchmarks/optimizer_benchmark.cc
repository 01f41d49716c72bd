// Update rules at the size of a 64 KiB piece, a 256 KiB block, 1 MiB and from DRAM. Counters:
//   bytes_per_second  gradient bytes, one thread
//   memcpy_ratio      the rate above divided by that of a memcpy of the same bytes in the same run,
//                     both in seconds of this thread's processor time
// The argument is the number of gradient bytes. In place, as tables do, unless the name says
// `NextVersion`: weights into another buffer, as blocks do.
#include <benchmark/benchmark.h>
#include <google/protobuf/text_format.h>
#include <time.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/math/random.h"
#include "common/optimizers/optimizer.h"

namespace convoy {
namespace {

double ThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Seconds of one memcpy of `from`, over about 30 ms.
double MemcpySeconds(const AlignedBuffer& from) {
  AlignedBuffer to(from.size());
  int64_t copies = 0;
  const double start = ThreadSeconds();
  while (ThreadSeconds() - start < 0.03) {
    for (int i = 0; i < 4; ++i, ++copies) {
      std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
      benchmark::DoNotOptimize(to.data());
      benchmark::ClobberMemory();
    }
  }
  return (ThreadSeconds() - start) / static_cast<double>(copies);
}

std::unique_ptr<Optimizer> OptimizerFromText(const std::string& text) {
  v1::Optimizer config;
  google::protobuf::TextFormat::ParseFromString(text, &config);
  return std::move(MakeOptimizer(SettingsFor(config, "w").value())).value();
}

AlignedBuffer Normals(size_t size, float scale) {
  AlignedBuffer buffer(size);
  RandomStream(1, "benchmark").FillNormal(0, buffer.span());
  for (float& value : buffer.span()) value *= scale;
  return buffer;
}

void Update(benchmark::State& state, const std::string& text, bool in_place) {
  const auto optimizer = OptimizerFromText(text);
  const size_t size = static_cast<size_t>(state.range(0)) / sizeof(float);
  const AlignedBuffer gradient = Normals(size, 1.0f);
  AlignedBuffer weights = Normals(size, 0.1f), next(size), slot0(size), slot1(size);
  float* const slots[] = {slot0.data(), slot1.data()};
  float* const out = in_place ? weights.data() : next.data();
  const double memcpy_seconds = MemcpySeconds(gradient);
  int64_t update = 1;
  const double start = ThreadSeconds();
  for (auto _ : state) {
    optimizer->Apply({1e-3f, update++, 1.0f / 128},
                     {gradient.data(), weights.data(), out, slots, static_cast<int64_t>(size)});
    benchmark::ClobberMemory();
  }
  const double seconds = (ThreadSeconds() - start) / static_cast<double>(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.counters["memcpy_ratio"] = memcpy_seconds / seconds;
}

void Register(const std::string& name, const std::string& text) {
  for (const bool in_place : {true, false}) {
    const std::string full_name = name + (in_place ? "" : "/NextVersion");
    benchmark::RegisterBenchmark(full_name.c_str(),
                                 [=](benchmark::State& state) { Update(state, text, in_place); })
        ->Arg(64 << 10)
        ->Arg(256 << 10)
        ->Arg(1 << 20)
        ->Arg(64 << 20);
  }
}

const bool registered = [] {
  Register("Sgd", "sgd {}");
  Register("SgdClipL1L2", "sgd {} clip_value: 0.01 l1: 1e-4 l2: 1e-4");
  Register("Momentum", "momentum {}");
  Register("Nesterov", "nesterov {}");
  Register("Adagrad", "adagrad {}");
  Register("RmsProp", "rmsprop {}");
  Register("Adam", "adam {}");
  Register("AdamW", "adamw {}");
  Register("Ftrl", "ftrl {} l1: 1e-4");
  return true;
}();

}  // namespace
}  // namespace convoy
