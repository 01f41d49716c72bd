// What `convoy init` finds out about a data file: how many examples, and what there is to learn.
#ifndef CONVOY_LAUNCHER_COMMANDS_DATA_SURVEY_H_
#define CONVOY_LAUNCHER_COMMANDS_DATA_SURVEY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "proto/schema.pb.h"

namespace convoy {

struct DataSurvey {
  std::string path;
  v1::Data::Format format = v1::Data::LIBSVM;  // not AUTO
  uint64_t examples = 0;
  uint64_t features = 0;
  int64_t classes = 0;  // 0: the label is a number to predict
  bool images = false;
  v1::Schema schema;  // CSV, TSV
};

// Reads the whole file at `path` (IDX: the labels only). `label`: of CSV and TSV, the column to
// learn; its values are classes if they are text, or at most 20 different whole numbers; those of a
// libsvm file if they are at most 1000 different whole numbers (from 0, or -1 and 1).
// InvalidArgument: what training would say of the file; `label` is empty or no column (the columns
// are listed) or the format has no columns.
absl::StatusOr<DataSurvey> SurveyData(const std::string& path, const std::string& label);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_DATA_SURVEY_H_
