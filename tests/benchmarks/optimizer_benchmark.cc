// Update rules at the size of a 64 KiB piece, a 256 KiB block, 1 MiB and from DRAM. Counters:
//   bytes_per_second  gradient bytes, one thread
//   memcpy_ratio      the rate above divided by that of a memcpy of the same bytes in the same run,
//                     both in seconds of this thread's processor time
//   memory_ratio      the same of all bytes that are read and written: gradient, weights and slots
//   of the
//                     rule, twice the size of a memcpy
//   arithmetic_ratio  the time of one correctly rounded square root and one division for each
//   element, as
//                     the rules of Adagrad and Adam need them, on data in the level 1 cache,
//                     divided by the time of the rule
// The argument is the number of gradient bytes. In place, as tables do, unless the name says
// `NextVersion`: weights into another buffer, as blocks do.
#include <benchmark/benchmark.h>
#include <google/protobuf/text_format.h>
#include <time.h>

#include <cmath>
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

// Seconds of one call of `work`: of so many that they take 30 ms, so that asking for the time
// counts for nothing.
template <typename Work>
double SecondsOf(const Work& work) {
  for (int64_t calls = 1;; calls *= 2) {
    const double start = ThreadSeconds();
    for (int64_t i = 0; i < calls; ++i) {
      work();
      benchmark::ClobberMemory();
    }
    const double seconds = ThreadSeconds() - start;
    if (seconds >= 0.03) return seconds / static_cast<double>(calls);
  }
}

double MemcpySeconds(const AlignedBuffer& from) {
  AlignedBuffer to(from.size());
  return SecondsOf([&] {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
    benchmark::DoNotOptimize(to.data());
  });
}

// Seconds of x / sqrt(y) for one element.
double ArithmeticSeconds() {
  constexpr size_t kSize = 960;  // not a power of 2: the arrays must not alias in the cache
  AlignedBuffer x(kSize), y(kSize), out(kSize);
  for (size_t i = 0; i < kSize; ++i) x[i] = y[i] = 1.0f + static_cast<float>(i);
  return SecondsOf([&] {
           const float* const a = x.data();
           const float* const b = y.data();
           float* const c = out.data();
#pragma GCC ivdep
           for (size_t i = 0; i < kSize; ++i) c[i] = a[i] / std::sqrt(b[i]);
           benchmark::DoNotOptimize(out.data());
         }) /
         kSize;
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
  AlignedBuffer weights = Normals(size, 0.1f), next(size), slot0(size), slot1(size), slot2(size);
  float* const slots[] = {slot0.data(), slot1.data(), slot2.data()};
  float* const out = in_place ? weights.data() : next.data();
  const double memcpy_seconds = MemcpySeconds(gradient), arithmetic_seconds = ArithmeticSeconds();
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
  // Read: gradient, weights, slots; written: weights, slots.
  state.counters["memory_ratio"] = memcpy_seconds / seconds * (3 + 2 * optimizer->num_slots()) / 2;
  state.counters["arithmetic_ratio"] = arithmetic_seconds * static_cast<double>(size) / seconds;
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
  Register("SgdAnchor", "sgd {} anchor: 0.01");
  Register("AdamAnchor", "adam {} anchor: 0.01");
  return true;
}();

}  // namespace
}  // namespace convoy
