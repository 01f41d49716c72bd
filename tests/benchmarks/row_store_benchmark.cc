// Rows of an embedding table: lookup and Adagrad (dim 16) of batches of 4,096 ids, Zipf 1.05, on
// one thread. Two tables of the same rows, updated by the same RowUpdater:
//   the product: 1,024 RowStores, the ids of a batch ordered by bucket, prefetched in three stages;
//   the map:     absl::flat_hash_map from id to the number of a row in one array, in the order of
//   the
//                batch, nothing prefetched.
// Both are measured in turn, 64 batches each, in seconds of this thread's processor time. Counters:
//   ratio        the time of the map divided by that of the product
//   Mops         million ids a second, product
//   map_Mops     the same, map
// `sort`: whether ordering the ids by bucket is part of the product's time; workers send them
// ordered. `unique`: whether repeated ids are combined first, as workers do; otherwise 4,096 draws
// as they come. `index`, `row`: how many ids ahead each stage of prefetching runs; 0: not at all.
//
// The benchmark Memory reports bytes for each row beyond weights and slots: asked for (heap) and
// resident (rss, with what the allocator adds), and the whole table in GB (10^9 bytes).
//
// CONVOY_BENCHMARK_ROWS: rows of the table, default 10,000,000.
#include <benchmark/benchmark.h>
#include <google/protobuf/text_format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/aligned_buffer.h"
#include "common/math/random.h"
#include "common/math/table.h"
#include "common/optimizers/row_updater.h"
#include "ps/table/row_store.h"
#include "tests/benchmarks/zipf.h"

namespace convoy {
namespace {

constexpr size_t kBatch = 4096;
constexpr size_t kBatchesInTurn = 64;
constexpr size_t kBatches = 4 * kBatchesInTurn;
constexpr uint32_t kDim = 16;

double ThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

uint64_t NumRows() {
  const char* const text = std::getenv("CONVOY_BENCHMARK_ROWS");
  return text == nullptr ? 10'000'000 : std::strtoull(text, nullptr, 10);
}

double ResidentBytes() {
  uint64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

RowUpdater MakeUpdater() {
  v1::Optimizer config;
  google::protobuf::TextFormat::ParseFromString("adagrad {}", &config);
  return std::move(RowUpdater::Create(config, {"table", {{"factors", kDim, Initializer::Zeros()}}}))
      .value();
}

uint64_t IdOfRank(uint64_t rank) { return rank * 0x9e3779b97f4a7c15; }

// Calls fn(id) for all ids of a table, frequent and rare ones mixed.
template <typename Fn>
void ForEachId(uint64_t rows, Fn fn) {
  uint64_t stride = 2654435761 % rows;
  while (std::gcd(stride, rows) != 1) ++stride;
  for (uint64_t i = 0, rank = 0; i < rows; ++i, rank = (rank + stride) % rows)
    fn(IdOfRank(rank + 1));
}

// The order of ids by bucket: order[i] is the position in the batch of what comes i-th.
struct BucketOrder {
  std::vector<uint32_t> order;
  std::vector<uint64_t> hashes;    // HashId, in that order
  std::vector<uint64_t> unsorted;  // HashId, in the order of the batch

  void Sort(const std::vector<uint64_t>& ids) {
    std::array<uint32_t, kTableBuckets + 1> begin = {};
    order.resize(ids.size());
    hashes.resize(ids.size());
    unsorted.resize(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
      unsorted[i] = HashId(ids[i]);
      ++begin[(unsorted[i] >> 54) + 1];
    }
    for (size_t b = 0; b < kTableBuckets; ++b) begin[b + 1] += begin[b];
    for (size_t i = 0; i < ids.size(); ++i) {
      const uint32_t place = begin[unsorted[i] >> 54]++;
      order[place] = static_cast<uint32_t>(i);
      hashes[place] = unsorted[i];
    }
  }
};

struct Batches {
  std::vector<std::vector<uint64_t>> drawn;
  std::vector<std::vector<uint64_t>> by_bucket;  // the same ids
};

Batches Draw(uint64_t rows, bool unique) {
  const ZipfDistribution zipf(rows, 1.05);
  std::mt19937_64 random(1);
  Batches batches;
  for (size_t b = 0; b < kBatches; ++b) {
    std::vector<uint64_t> ids(kBatch);
    for (uint64_t& id : ids) id = IdOfRank(zipf(random));
    if (unique) {
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      std::shuffle(ids.begin(), ids.end(), random);
    }
    batches.drawn.push_back(ids);
    std::stable_sort(ids.begin(), ids.end(),
                     [](uint64_t x, uint64_t y) { return BucketOf(x) < BucketOf(y); });
    batches.by_bucket.push_back(std::move(ids));
  }
  return batches;
}

class Product {
 public:
  Product(uint64_t rows, const RowUpdater& updater) : updater_(updater) {
    const double before = ResidentBytes();
    for (uint32_t i = 0; i < kTableBuckets; ++i) {
      stores_.emplace_back(RowLayout{updater.dim(), updater.slot_floats()}, &arena_);
    }
    ForEachId(rows, [this](uint64_t id) {
      bool inserted = false;
      const Row row = stores_[BucketOf(id)].FindOrInsert(id, &inserted);
      std::fill_n(row.weights, updater_.dim(), 0.0f);
      updater_.InitializeSlots(row.slots);
    });
    resident_ = ResidentBytes() - before;
  }

  double resident() const { return resident_; }
  double bytes() const {
    double bytes = static_cast<double>(stores_.size() * sizeof(RowStore));
    for (const RowStore& store : stores_) bytes += static_cast<double>(store.bytes());
    return bytes;
  }

  // The ids of the batch are ordered by bucket.
  void Update(const std::vector<uint64_t>& ids, const float* gradients, size_t index_ahead,
              size_t row_ahead) {
    hashes_.resize(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) hashes_[i] = HashId(ids[i]);
    Run(ids, hashes_, gradients, index_ahead, row_ahead, [](size_t i) { return i; });
  }
  void SortAndUpdate(const std::vector<uint64_t>& ids, const float* gradients, size_t index_ahead,
                     size_t row_ahead) {
    order_.Sort(ids);
    Run(ids, order_.hashes, gradients, index_ahead, row_ahead,
        [this](size_t i) { return order_.order[i]; });
  }

 private:
  template <typename Position>
  void Run(const std::vector<uint64_t>& ids, const std::vector<uint64_t>& hashes,
           const float* gradients, size_t index_ahead, size_t row_ahead, Position position) {
    const size_t size = ids.size();
    const size_t guess_ahead = (index_ahead + row_ahead) / 2;
    guesses_.assign(size, RowStore::kNoGuess);
    const auto store = [&](size_t i) -> RowStore& { return stores_[hashes[i] >> 54]; };
    // Negative: the stages start one after the other.
    for (int64_t i = -static_cast<int64_t>(index_ahead); i < static_cast<int64_t>(size); ++i) {
      const auto stage = [&](size_t ahead, auto prefetch) {
        const int64_t at = i + static_cast<int64_t>(ahead);
        if (ahead > 0 && at >= 0 && at < static_cast<int64_t>(size))
          prefetch(static_cast<size_t>(at));
      };
      stage(index_ahead, [&](size_t at) { store(at).PrefetchIndex(hashes[at]); });
      if (row_ahead > 0)
        stage(guess_ahead, [&](size_t at) { guesses_[at] = store(at).Guess(hashes[at]); });
      stage(row_ahead, [&](size_t at) { store(at).PrefetchGuessed(guesses_[at]); });
      if (i >= 0)
        UpdateRow(&store(static_cast<size_t>(i)), ids, position(static_cast<size_t>(i)),
                  guesses_[static_cast<size_t>(i)], gradients);
    }
  }
  void UpdateRow(RowStore* store, const std::vector<uint64_t>& ids, size_t at, uint32_t guess,
                 const float* gradients) {
    const Row row = store->Find(ids[at], guess);
    updater_.Apply({1e-3, ++row.header->updates, 1.0f / kBatch}, gradients + at * kDim, row.weights,
                   row.slots);
  }

  const RowUpdater& updater_;
  RowArena arena_;
  std::vector<RowStore> stores_;
  std::vector<uint64_t> hashes_;
  std::vector<uint32_t> guesses_;
  BucketOrder order_;
  double resident_ = 0;
};

class Map {
 public:
  Map(uint64_t rows, const RowUpdater& updater)
      : updater_(updater),
        row_floats_(updater.dim() + updater.slot_floats()),
        floats_(rows * row_floats_) {
    numbers_.reserve(rows);
    ForEachId(rows, [this](uint64_t id) {
      const uint32_t row = static_cast<uint32_t>(numbers_.size());
      numbers_[id] = row;
      updater_.InitializeSlots(floats_.data() + row * row_floats_ + updater_.dim());
    });
  }

  void Update(const std::vector<uint64_t>& ids, const float* gradients) {
    for (size_t i = 0; i < ids.size(); ++i) {
      float* const weights = floats_.data() + numbers_.find(ids[i])->second * row_floats_;
      updater_.Apply({1e-3, 1, 1.0f / kBatch}, gradients + i * kDim, weights,
                     weights + updater_.dim());
    }
  }

 private:
  const RowUpdater& updater_;
  const size_t row_floats_;
  AlignedBuffer floats_;
  absl::flat_hash_map<uint64_t, uint32_t> numbers_;
};

struct Tables {
  const uint64_t rows = NumRows();
  const RowUpdater updater = MakeUpdater();
  Product product{rows, updater};
  Map map{rows, updater};
  std::array<Batches, 2> batches = {Draw(rows, false), Draw(rows, true)};
  AlignedBuffer gradients{kBatch * kDim};

  Tables() { RandomStream(1, "gradient").FillNormal(0, gradients.span()); }
};

Tables& AllTables() {
  static Tables* const tables = new Tables;
  return *tables;
}

template <typename Work>
double Seconds(const Work& work) {
  const double start = ThreadSeconds();
  work();
  benchmark::ClobberMemory();
  return ThreadSeconds() - start;
}

// Arguments: sort, unique, index, row.
void LookupAndAdagrad(benchmark::State& state) {
  Tables& tables = AllTables();
  const bool sort = state.range(0) != 0;
  const Batches& batches = tables.batches[state.range(1) != 0];
  const size_t index_ahead = static_cast<size_t>(state.range(2)),
               row_ahead = static_cast<size_t>(state.range(3));
  const float* const gradients = tables.gradients.data();
  double product_seconds = 0, map_seconds = 0, ids = 0;
  size_t turn = 0;
  for (auto _ : state) {
    const size_t begin = turn++ * kBatchesInTurn % kBatches, end = begin + kBatchesInTurn;
    const double seconds = Seconds([&] {
      for (size_t b = begin; b < end; ++b) {
        if (sort) {
          tables.product.SortAndUpdate(batches.drawn[b], gradients, index_ahead, row_ahead);
        } else {
          tables.product.Update(batches.by_bucket[b], gradients, index_ahead, row_ahead);
        }
      }
    });
    map_seconds += Seconds([&] {
      for (size_t b = begin; b < end; ++b) tables.map.Update(batches.drawn[b], gradients);
    });
    for (size_t b = begin; b < end; ++b) ids += static_cast<double>(batches.drawn[b].size());
    state.SetIterationTime(seconds);
    product_seconds += seconds;
  }
  state.counters["ratio"] = map_seconds / product_seconds;
  state.counters["Mops"] = ids / product_seconds / 1e6;
  state.counters["map_Mops"] = ids / map_seconds / 1e6;
}

void Memory(benchmark::State& state) {
  Tables& tables = AllTables();
  const double rows = static_cast<double>(tables.rows);
  const double floats = (tables.updater.dim() + tables.updater.slot_floats()) * sizeof(float);
  for (auto _ : state) benchmark::DoNotOptimize(tables.product.bytes());
  state.counters["heap_beyond"] = tables.product.bytes() / rows - floats;
  state.counters["rss_beyond"] = tables.product.resident() / rows - floats;
  state.counters["GB"] = tables.product.resident() / 1e9;
}

BENCHMARK(Memory);
BENCHMARK(LookupAndAdagrad)
    ->ArgNames({"sort", "unique", "index", "row"})
    ->ArgsProduct({{0, 1}, {0, 1}, {16}, {8}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
// The windows, and what prefetching is worth.
BENCHMARK(LookupAndAdagrad)
    ->Name("Windows")
    ->ArgNames({"sort", "unique", "index", "row"})
    ->Args({0, 1, 0, 0})
    ->Args({0, 1, 16, 0})
    ->ArgsProduct({{0}, {1}, {12, 24, 32}, {6, 8, 12}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace convoy
