// Reading data: libsvm text to rows, and batches out of a mapped cache.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/data/criteo.h"
#include "worker/data/dataset.h"
#include "worker/data/id_text.h"
#include "worker/data/libsvm.h"

namespace convoy {
namespace {

constexpr int kTextRows = 50'000;
constexpr int kFields = 39;
constexpr uint32_t kImages = 60'000;
constexpr uint32_t kPixels = 784;

// Rows of 39 values out of a million columns, as click logs have.
std::string ClickText(const char* value) {
  std::mt19937 random(1);
  std::string text;
  for (int row = 0; row < kTextRows; ++row) {
    absl::StrAppend(&text, row % 2);
    for (int field = 0; field < kFields; ++field) {
      absl::StrAppend(&text, " ", field * 25'000 + 1 + static_cast<int>(random() % 25'000), ":",
                      value);
    }
    text += '\n';
  }
  return text;
}

void ParseLibsvm(benchmark::State& state, const char* value) {
  const std::string text = ClickText(value);
  for (auto _ : state) {
    const auto source = MemorySource(text);
    const auto summary = ReadLibsvm(*source, "text", {}, [](const LibsvmRows& rows) {
      benchmark::DoNotOptimize(rows.values.data());
      return absl::OkStatus();
    });
    if (!summary.ok()) state.SkipWithError(summary.status().ToString().c_str());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * kTextRows);
}
BENCHMARK_CAPTURE(ParseLibsvm, ones, "1");
BENCHMARK_CAPTURE(ParseLibsvm, short_decimals, "0.1375");
BENCHMARK_CAPTURE(ParseLibsvm, long_decimals, "0.137512345678");

// The same with fields.
std::string FieldText(const char* value) {
  std::mt19937 random(1);
  std::string text;
  for (int row = 0; row < kTextRows; ++row) {
    absl::StrAppend(&text, row % 2);
    for (int field = 0; field < kFields; ++field) {
      absl::StrAppend(&text, " ", field, ":",
                      field * 25'000 + 1 + static_cast<int>(random() % 25'000), ":", value);
    }
    text += '\n';
  }
  return text;
}

// What is slowest to read: ids of 19 digits (hashes) in no order, so that repeats have to be looked
// for, and values of 13 digits.
std::string HashedIdText() {
  std::mt19937_64 random(1);
  std::string text;
  for (int row = 0; row < kTextRows; ++row) {
    absl::StrAppend(&text, row % 2);
    for (int field = 0; field < kFields; ++field) {
      absl::StrAppend(&text, " ", random() >> 1, ":0.137512345678");
    }
    text += '\n';
  }
  return text;
}

// Numbers of up to 5 digits and categories of 8, one of ten missing.
std::string CriteoText() {
  std::mt19937 random(1);
  std::string text;
  for (int row = 0; row < kTextRows; ++row) {
    absl::StrAppend(&text, row % 2);
    for (int field = 0; field < kCriteoFields; ++field) {
      text += '\t';
      if (random() % 10 == 0) continue;
      if (field < kCriteoNumbers) {
        absl::StrAppend(&text, random() % (1U << (random() % 16 + 1)));
      } else {
        absl::StrAppend(&text, absl::Hex(static_cast<uint32_t>(random()), absl::kZeroPad8));
      }
    }
    text += '\n';
  }
  return text;
}

void ParseIdText(benchmark::State& state, const std::string& text,
                 std::unique_ptr<IdParser> (*make)()) {
  for (auto _ : state) {
    const auto source = MemorySource(text);
    const std::unique_ptr<IdParser> parser = make();
    const auto summary = ReadIds(*source, *parser, [](const IdRows& rows) {
      benchmark::DoNotOptimize(rows.ids.data());
      return absl::OkStatus();
    });
    if (!summary.ok()) state.SkipWithError(summary.status().ToString().c_str());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * kTextRows);
}

template <IdTextFormat format>
std::unique_ptr<IdParser> IdText() {
  return std::make_unique<IdTextParser>(format, "text", 0);
}

std::unique_ptr<IdParser> Criteo() { return std::make_unique<CriteoParser>("text", 0); }

void ParseLibffm(benchmark::State& state, const char* value) {
  ParseIdText(state, FieldText(value), &IdText<IdTextFormat::kLibffm>);
}
BENCHMARK_CAPTURE(ParseLibffm, ones, "1");
BENCHMARK_CAPTURE(ParseLibffm, short_decimals, "0.1375");

void ParseLibsvmIds(benchmark::State& state) {
  ParseIdText(state, ClickText("1"), &IdText<IdTextFormat::kLibsvm>);
}
BENCHMARK(ParseLibsvmIds);

void ParseLibsvmHashedIds(benchmark::State& state) {
  ParseIdText(state, HashedIdText(), &IdText<IdTextFormat::kLibsvm>);
}
BENCHMARK(ParseLibsvmHashedIds);

void ParseCriteo(benchmark::State& state) { ParseIdText(state, CriteoText(), &Criteo); }
BENCHMARK(ParseCriteo);

std::string Images() {
  std::string file = {0, 0, 8, 2, 0, 0, '\xEA', '\x60', 0, 0, 3, '\x10'};  // 60,000 x 784
  std::mt19937 random(1);
  for (uint64_t i = 0; i < uint64_t{kImages} * kPixels; ++i)
    file.push_back(static_cast<char>(random()));
  return file;
}

// Batches of random images, as shuffled training reads them. Bytes are those of the floats made.
void GatherImages(benchmark::State& state) {
  std::string folder = std::filesystem::temp_directory_path().string() + "/convoy-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no temporary folder");
  std::ofstream(folder + "/images", std::ios::binary) << Images();
  v1::Data data;
  data.set_cache_dir(folder);
  const auto dataset = OpenFile(data, folder + "/images", nullptr);
  std::filesystem::remove_all(folder);
  if (!dataset.ok()) return state.SkipWithError(dataset.status().ToString().c_str());

  const auto batch_size = static_cast<size_t>(state.range(0));
  std::mt19937 random(1);
  std::vector<uint32_t> indices(batch_size);
  Batch batch;
  for (auto _ : state) {
    for (uint32_t& index : indices) index = static_cast<uint32_t>(random() % kImages);
    (*dataset)->Read(indices, &batch);
    benchmark::DoNotOptimize(batch.dense.data());
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(batch_size * kPixels * sizeof(float)));
}
BENCHMARK(GatherImages)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace convoy
