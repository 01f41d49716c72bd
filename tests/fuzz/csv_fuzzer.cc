// CSV text, gzip or not: any input gives a schema or an error; what was learnt is valid, survives
// JSON, and encodes the same text with finite features in ascending columns, as many rows as were
// learnt from.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "worker/data/csv/csv_cache.h"
#include "worker/data/csv/schema_json.h"
#include "worker/data/csv/schema_layout.h"
#include "worker/data/csv/schema_learner.h"

namespace {

// The first byte chooses the settings.
convoy::v1::Csv Settings(uint8_t choice) {
  convoy::v1::Csv csv;
  csv.set_label((choice & 1) != 0 ? "y" : "1");
  csv.set_label_type((choice & 2) != 0 ? convoy::v1::Csv::CLASS : convoy::v1::Csv::BY_MODEL);
  csv.set_transform(static_cast<convoy::v1::CsvColumn::Transform>((choice >> 2) & 3));
  csv.set_max_bad_lines((choice & 16) != 0 ? 1000 : 0);
  csv.set_hash_buckets((choice & 32) != 0 ? 16 : 0);
  csv.set_missing_number((choice & 64) != 0 ? convoy::v1::CsvColumn::INDICATOR
                                            : convoy::v1::CsvColumn::ZERO);
  csv.set_quotes((choice & 128) == 0);
  csv.add_missing_value("?");
  return csv;
}

void CheckSchema(const convoy::v1::Schema& schema) {
  if (!convoy::CheckSchema(schema).ok()) abort();
  const auto again = convoy::ParseSchema(convoy::SchemaToJson(schema), "schema.json");
  if (!again.ok() || again->SerializeAsString() != schema.SerializeAsString()) abort();
}

absl::Status CheckRow(const convoy::v1::Schema& schema, const convoy::SparseRow& row) {
  if (!std::isfinite(row.label)) abort();
  for (size_t k = 0; k < row.columns.size(); ++k) {
    if (!std::isfinite(row.values[k]) || row.columns[k] >= schema.features()) abort();
    if (k > 0 && row.columns[k] <= row.columns[k - 1]) abort();
  }
  return absl::OkStatus();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const convoy::v1::Csv settings = Settings(data[0]);
  const std::span<const char> text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<convoy::ByteSource>> {
    return convoy::Decompressed(convoy::MemorySource(text), "fuzz.csv");
  };
  const auto learnt = convoy::LearnSchema(open, "fuzz.csv", settings, false);
  if (!learnt.ok()) return 0;
  const auto schema = std::make_shared<const convoy::v1::Schema>(*learnt);
  CheckSchema(*schema);
  const auto rows =
      convoy::EncodeCsv(*open(), "fuzz.csv", {schema, settings.max_bad_lines(), true},
                        [&](const convoy::SparseRow& row) { return CheckRow(*schema, row); });
  if (!rows.ok() || rows->rows != schema->rows()) abort();
  return 0;
}
