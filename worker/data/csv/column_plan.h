// What becomes of each column of the training data, before its values are known.
#ifndef CONVOY_WORKER_DATA_CSV_COLUMN_PLAN_H_
#define CONVOY_WORKER_DATA_CSV_COLUMN_PLAN_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "proto/schema.pb.h"
#include "worker/data/csv/csv_sniffer.h"

namespace convoy {

struct ColumnPlan {
  enum class Kind {
    kIgnored,
    kClass,   // the label, its values being classes
    kTarget,  // the label, a number
    kNumeric,
    kDictionary,
    kHash,
    kId,
    kByFirstValue,  // no value in the head of the file: kNumeric or categorical
  };

  std::string name;
  Kind kind = Kind::kIgnored;
  v1::CsvColumn::Transform transform = v1::CsvColumn::STANDARDISE;
  uint32_t buckets = 0;
  uint32_t hash_buckets = 0;
  v1::CsvColumn::Missing missing_number = v1::CsvColumn::MEAN;
  v1::CsvColumn::Missing missing_category = v1::CsvColumn::CATEGORY;
  v1::IdTreatment id;  // kId

  bool is_label() const { return kind == Kind::kClass || kind == Kind::kTarget; }
  // The kind if its values are categories.
  Kind categorical() const { return hash_buckets > 0 ? Kind::kHash : Kind::kDictionary; }
};

// One plan for each of the columns that `file` names and `sniffed` describes. A column counts as
// numeric if at most settings.max_bad_lines of its values are text.
// InvalidArgument: no column is called as settings.label or one of settings.column (suggests one).
absl::StatusOr<std::vector<ColumnPlan>> PlanColumns(const CsvFile& file,
                                                    std::span<const SniffedColumn> sniffed,
                                                    const v1::Csv& settings);

// InvalidArgument "FILE: there is no column "agee" (for what), did you mean "age"? Its columns:
// ...".
absl::Status NoSuchColumn(const CsvFile& file, const std::string& column, const std::string& what);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_COLUMN_PLAN_H_
