// Learns and encodes CSV text in memory, for the tests.
#ifndef CONVOY_TESTS_WORKER_DATA_CSV_CSV_TEXT_H_
#define CONVOY_TESTS_WORKER_DATA_CSV_CSV_TEXT_H_

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/job/defaults.h"
#include "tests/worker/data/data_files.h"
#include "worker/data/csv/csv_cache.h"
#include "worker/data/csv/schema_learner.h"

namespace convoy::testing {

// Resolved settings from text like "label: 'y'".
inline v1::Csv CsvSettings(const std::string& text) {
  v1::Job job;
  EXPECT_TRUE(
      google::protobuf::TextFormat::ParseFromString(text, job.mutable_data()->mutable_csv()))
      << text;
  return ResolveDefaults(std::move(job)).data().csv();
}

inline absl::StatusOr<v1::Schema> Learn(std::string_view text, const std::string& settings) {
  return LearnSchema([&] { return MemorySource(text); }, "a.csv", CsvSettings(settings), false);
}

// Rows with all their features.
struct DenseRows {
  std::vector<std::vector<float>> features;
  std::vector<float> labels;
  bool labelled = false;
};

inline absl::StatusOr<DenseRows> Encode(const v1::Schema& schema, std::string_view text,
                                        uint32_t max_bad_lines = 0, bool read_labels = true) {
  const CsvEncoding encoding = {std::make_shared<const v1::Schema>(schema), max_bad_lines,
                                read_labels};
  DenseRows rows;
  const auto summary = EncodeCsv(MemorySource(text), "b.csv", encoding, [&](const SparseRow& row) {
    std::vector<float> dense(schema.features());
    for (size_t k = 0; k < row.columns.size(); ++k) dense[row.columns[k]] = row.values[k];
    rows.features.push_back(std::move(dense));
    rows.labels.push_back(row.label);
    return absl::OkStatus();
  });
  if (!summary.ok()) return summary.status();
  rows.labelled = summary->labelled;
  return rows;
}

// The features of `text` by the schema learnt from it.
inline absl::StatusOr<DenseRows> LearnAndEncode(std::string_view text,
                                                const std::string& settings) {
  const auto schema = Learn(text, settings);
  if (!schema.ok()) return schema.status();
  return Encode(*schema, text);
}

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_WORKER_DATA_CSV_CSV_TEXT_H_
