#include "launcher/commands/data_survey.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/defaults.h"
#include "common/status.h"
#include "worker/data/csv/csv_file.h"
#include "worker/data/csv/csv_number.h"
#include "worker/data/csv/csv_sniffer.h"
#include "worker/data/csv/schema_learner.h"
#include "worker/data/file_format.h"
#include "worker/data/idx.h"
#include "worker/data/libsvm.h"

namespace convoy {
namespace {

constexpr size_t kMostNumberedClasses = 20;
constexpr size_t kMostLibsvmClasses = 1000;

// The settings of a job that says no more than the label.
v1::Csv CsvSettingsFor(const std::string& label, v1::Csv::LabelType type) {
  v1::Job job;
  job.mutable_data()->mutable_csv()->set_label(label);
  job.mutable_data()->mutable_csv()->set_label_type(type);
  return ResolveDefaults(std::move(job)).data().csv();
}

absl::Status LabelIsNeeded(const std::string& path, bool tsv) {
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenText(path, nullptr));
  CONVOY_ASSIGN_OR_RETURN(const CsvHead head, ReadHead(source.get()));
  const CsvLayout layout = SniffLayout(head, CsvSettingsFor("", v1::Csv::CLASS), tsv);
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file,
                          CsvFile::Open(MemorySource(head.text), path, layout, 0));
  return absl::InvalidArgumentError(absl::StrCat(
      "say which column of ", path,
      " is to be learnt: --label NAME. Its columns: ", absl::StrJoin(file->columns(), ", ")));
}

bool AreNumberedClasses(const v1::Schema& schema) {
  const auto& names = schema.label().class_name();
  if (static_cast<size_t>(names.size()) > kMostNumberedClasses) return false;
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    double number = 0;
    return ParseNumber(name, &number) && std::trunc(number) == number;
  });
}

bool IsNumeric(const v1::Schema& schema) { return schema.label().class_name().empty(); }

absl::StatusOr<v1::Schema> LearnAs(const std::string& path, const std::string& label, bool tsv,
                                   v1::Csv::LabelType type) {
  return LearnSchema([&] { return OpenText(path, nullptr); }, path, CsvSettingsFor(label, type),
                     tsv);
}

// Text is classes. Of numbers the classes are counted; too many of them are no classes.
absl::StatusOr<v1::Schema> LearnWithLabel(const std::string& path, const std::string& label,
                                          bool tsv) {
  CONVOY_ASSIGN_OR_RETURN(v1::Schema schema, LearnAs(path, label, tsv, v1::Csv::BY_MODEL));
  if (!IsNumeric(schema)) return schema;
  absl::StatusOr<v1::Schema> classes = LearnAs(path, label, tsv, v1::Csv::CLASS);
  return classes.ok() && AreNumberedClasses(*classes) ? *std::move(classes) : std::move(schema);
}

absl::Status SurveyCsv(const std::string& label, DataSurvey* survey) {
  const bool tsv = survey->format == v1::Data::TSV;
  if (label.empty()) return LabelIsNeeded(survey->path, tsv);
  CONVOY_ASSIGN_OR_RETURN(survey->schema, LearnWithLabel(survey->path, label, tsv));
  survey->examples = survey->schema.rows();
  survey->features = survey->schema.features();
  survey->classes = survey->schema.label().class_name_size();
  return absl::OkStatus();
}

int64_t ClassesOf(const std::set<float>& labels) {
  const bool whole = std::all_of(labels.begin(), labels.end(),
                                 [](float label) { return std::trunc(label) == label; });
  if (labels == std::set<float>{-1, 1}) return 2;
  if (!whole || labels.size() > kMostLibsvmClasses || *labels.begin() < 0) return 0;
  return std::max<int64_t>(2, static_cast<int64_t>(*labels.rbegin()) + 1);
}

absl::Status SurveyLibsvm(DataSurvey* survey) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source,
                          OpenText(survey->path, nullptr));
  std::set<float> labels;
  const auto collect = [&](const LibsvmRows& rows) {
    for (const float label : rows.labels) {
      if (labels.size() <= kMostLibsvmClasses) labels.insert(label);
    }
    return absl::OkStatus();
  };
  CONVOY_ASSIGN_OR_RETURN(const LibsvmSummary summary,
                          ReadLibsvm(*source, survey->path, {}, collect));
  survey->examples = summary.rows;
  survey->features = summary.columns;
  survey->classes = ClassesOf(labels);
  return absl::OkStatus();
}

absl::Status SurveyIdx(DataSurvey* survey) {
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenText(survey->path, nullptr));
  CONVOY_ASSIGN_OR_RETURN(const IdxHeader images, ReadIdxHeader(*source, survey->path, 4));
  survey->examples = images.examples();
  survey->features = images.example_elements();
  survey->images = images.sizes.size() >= 3;
  const std::string path = LabelsPathFor(survey->path);
  if (path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(survey->path,
                     ": where are its labels? Its name has no \"images-idx3\"; write the job by "
                     "hand and set data.train_labels"));
  }
  CONVOY_ASSIGN_OR_RETURN(source, OpenText(path, nullptr));
  CONVOY_ASSIGN_OR_RETURN(const IdxHeader labels, ReadIdxHeader(*source, path, 1));
  float largest = 0;
  CONVOY_RETURN_IF_ERROR(
      ReadIdxElements(*source, path, labels, IdxElements::kFloat, [&](std::span<const char> piece) {
        const auto* const values = reinterpret_cast<const float*>(piece.data());
        for (size_t i = 0; i < piece.size() / sizeof(float); ++i) {
          largest = std::max(largest, values[i]);
        }
        return absl::OkStatus();
      }));
  survey->classes = std::max<int64_t>(2, static_cast<int64_t>(largest) + 1);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DataSurvey> SurveyData(const std::string& path, const std::string& label) {
  DataSurvey survey;
  survey.path = path;
  CONVOY_ASSIGN_OR_RETURN(survey.format, DetectFormat(path));
  const bool columns = survey.format == v1::Data::CSV || survey.format == v1::Data::TSV;
  if (!columns && !label.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--label is for CSV and TSV, but ", path, " is a file in format ",
                     v1::Data::Format_Name(survey.format), ", which knows its labels"));
  }
  if (survey.format == v1::Data::LIBFFM) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     " is libffm text, for models with embedding tables: write the job by "
                     "hand, e.g. as in examples/criteo_like"));
  }
  if (columns) CONVOY_RETURN_IF_ERROR(SurveyCsv(label, &survey));
  if (survey.format == v1::Data::LIBSVM) CONVOY_RETURN_IF_ERROR(SurveyLibsvm(&survey));
  if (survey.format == v1::Data::IDX) CONVOY_RETURN_IF_ERROR(SurveyIdx(&survey));
  return survey;
}

}  // namespace convoy
