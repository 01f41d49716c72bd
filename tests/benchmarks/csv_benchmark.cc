// Reading CSV: records, learning a schema, encoding rows. Bytes are those of the text.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/data/csv/csv_cache.h"
#include "worker/data/csv/csv_reader.h"
#include "worker/data/csv/schema_learner.h"

namespace convoy {
namespace {

constexpr int kRows = 100'000;

// Columns as in a table of customers: ten numbers, ten categories of 8 to 200 values, a class.
std::string CustomerText() {
  std::mt19937 random(1);
  std::string text;
  for (int c = 0; c < 20; ++c) absl::StrAppend(&text, "column", c, ",");
  text += "y\n";
  for (int row = 0; row < kRows; ++row) {
    for (int c = 0; c < 5; ++c) absl::StrAppend(&text, random() % 1000, ",");
    for (int c = 0; c < 5; ++c) absl::StrAppendFormat(&text, "%.3f,", random() % 1'000'000 / 1e3);
    for (unsigned c = 0; c < 10; ++c)
      absl::StrAppend(&text, "category.", random() % (8 + 20 * c), ",");
    absl::StrAppend(&text, random() % 2 == 0 ? "no\n" : "yes\n");
  }
  return text;
}

// Forty numbers a row, as sensors give them.
std::string NumberText() {
  std::mt19937 random(1);
  std::string text;
  for (int c = 0; c < 40; ++c) absl::StrAppend(&text, "x", c, ",");
  text += "y\n";
  for (int row = 0; row < kRows / 2; ++row) {
    for (int c = 0; c < 40; ++c)
      absl::StrAppendFormat(&text, "%.4f,", random() % 10'000'000 / 1e4 - 500);
    absl::StrAppend(&text, random() % 2, "\n");
  }
  return text;
}

v1::Csv Settings() {
  v1::Csv csv;
  csv.set_label("y");
  csv.set_label_type(v1::Csv::CLASS);
  for (const char* value : {"NA", "N/A", "NaN", "nan", "null", "NULL", "?"})
    csv.add_missing_value(value);
  return csv;
}

absl::StatusOr<v1::Schema> Learn(const std::string& text) {
  return LearnSchema([&] { return MemorySource(text); }, "text", Settings(), false);
}

void Count(const std::string& text, benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void ReadRecords(benchmark::State& state, std::string (*make)()) {
  const std::string text = make();
  for (auto _ : state) {
    const auto source = MemorySource(text);
    CsvReader reader(source.get(), "text", {});
    while (const CsvRecord* const record = *reader.Next())
      benchmark::DoNotOptimize(record->fields.data());
  }
  Count(text, state);
}
BENCHMARK_CAPTURE(ReadRecords, customers, &CustomerText);
BENCHMARK_CAPTURE(ReadRecords, numbers, &NumberText);

void LearnSchema(benchmark::State& state, std::string (*make)()) {
  const std::string text = make();
  for (auto _ : state) benchmark::DoNotOptimize(Learn(text)->features());
  Count(text, state);
}
BENCHMARK_CAPTURE(LearnSchema, customers, &CustomerText);
BENCHMARK_CAPTURE(LearnSchema, numbers, &NumberText);

void EncodeRows(benchmark::State& state, std::string (*make)()) {
  const std::string text = make();
  const CsvEncoding encoding = {std::make_shared<const v1::Schema>(*Learn(text))};
  for (auto _ : state) {
    const auto summary = EncodeCsv(MemorySource(text), "text", encoding, [](const SparseRow& row) {
      benchmark::DoNotOptimize(row.values.data());
      return absl::OkStatus();
    });
    if (!summary.ok()) state.SkipWithError(summary.status().ToString().c_str());
  }
  Count(text, state);
}
BENCHMARK_CAPTURE(EncodeRows, customers, &CustomerText);
BENCHMARK_CAPTURE(EncodeRows, numbers, &NumberText);

}  // namespace
}  // namespace convoy
