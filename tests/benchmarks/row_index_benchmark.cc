// The unique ids of a batch and the row of each place, on one core: RowIndex against a
// flat_hash_map that does the same with a sort by bucket, and against the map alone. 1,000 examples
// x 39 ids, drawn so that 44 % are repeats.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/math/random.h"
#include "common/math/table.h"
#include "worker/row_index.h"

namespace convoy {
namespace {

constexpr size_t kIds = 39000;
constexpr size_t kBatches = 16;

// Of n ids drawn evenly, n (1 - exp(-ids / n)) differ: n = 29,000 leaves 56 % of 39,000.
std::vector<std::vector<uint64_t>> Batches() {
  std::vector<std::vector<uint64_t>> batches(kBatches);
  for (size_t b = 0; b < kBatches; ++b) {
    const RandomStream random(b, "ids");
    for (size_t i = 0; i < kIds; ++i) {
      batches[b].push_back(HashId(b * 1000000 + random.Below(i, 29000)));
    }
  }
  return batches;
}

void BM_RowIndex(benchmark::State& state) {
  const auto batches = Batches();
  RowIndex index;
  size_t next = 0;
  for (auto _ : state) {
    index.Build(batches[next++ % kBatches]);
    benchmark::DoNotOptimize(index.places().data());
  }
  state.counters["repeats"] = 1 - static_cast<double>(index.unique().size()) / kIds;
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kIds));
}
BENCHMARK(BM_RowIndex)->Unit(benchmark::kMicrosecond);

// Fills `unique` and `places` in the order of the first places.
void Collect(const std::vector<uint64_t>& ids, absl::flat_hash_map<uint64_t, uint32_t>* map,
             std::vector<uint64_t>* unique, std::vector<uint32_t>* places) {
  map->clear();
  unique->clear();
  places->clear();
  for (const uint64_t id : ids) {
    const auto [entry, added] = map->try_emplace(id, static_cast<uint32_t>(unique->size()));
    if (added) unique->push_back(id);
    places->push_back(entry->second);
  }
}

void BM_FlatHashMap(benchmark::State& state) {
  const auto batches = Batches();
  absl::flat_hash_map<uint64_t, uint32_t> map;
  std::vector<uint64_t> unique;
  std::vector<uint32_t> places;
  size_t next = 0;
  for (auto _ : state) {
    Collect(batches[next++ % kBatches], &map, &unique, &places);
    benchmark::DoNotOptimize(places.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kIds));
}
BENCHMARK(BM_FlatHashMap)->Unit(benchmark::kMicrosecond);

void BM_FlatHashMapSortedByBucket(benchmark::State& state) {
  const auto batches = Batches();
  absl::flat_hash_map<uint64_t, uint32_t> map;
  std::vector<uint64_t> unique;
  std::vector<uint32_t> places, order, position;
  size_t next = 0;
  for (auto _ : state) {
    Collect(batches[next++ % kBatches], &map, &unique, &places);
    order.resize(unique.size());
    position.resize(unique.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, {}, [&](uint32_t i) { return BucketOf(unique[i]); });
    for (uint32_t i = 0; i < order.size(); ++i) position[order[i]] = i;
    for (uint32_t& place : places) place = position[place];
    benchmark::DoNotOptimize(places.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kIds));
}
BENCHMARK(BM_FlatHashMapSortedByBucket)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace convoy
