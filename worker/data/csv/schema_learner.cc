#include "worker/data/csv/schema_learner.h"

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/csv/column_plan.h"
#include "worker/data/csv/column_statistics.h"
#include "worker/data/csv/csv_number.h"
#include "worker/data/csv/csv_sniffer.h"
#include "worker/data/csv/id_values.h"
#include "worker/data/csv/problems.h"
#include "worker/data/csv/schema_layout.h"

namespace convoy {
namespace {

using Kind = ColumnPlan::Kind;

constexpr size_t kMaxClasses = 10'000;
constexpr size_t kMaxCounted = 1'000'000;

// One column of the training data while it is read.
class ColumnLearner {
 public:
  ColumnLearner(ColumnPlan plan, const MissingValues& missing)
      : plan_(std::move(plan)), missing_(missing), numbers_(plan_) {}

  const ColumnPlan& plan() const { return plan_; }

  // Reads the value of a row without learning from it: another column may reject the row. Returns
  // what is wrong, "": nothing.
  std::string Read(std::string_view field) {
    if (plan_.kind == Kind::kIgnored) return "";
    field_ = field;
    const bool number = plan_.kind == Kind::kNumeric || plan_.kind == Kind::kTarget;
    is_missing_ = false;
    if (number && !missing_.any_number() && ParseNumber(field, &number_)) return "";
    is_missing_ = missing_.Contains(field);
    if (is_missing_) return MissingProblem();
    if (plan_.kind == Kind::kId) return ReadIds(field);
    if (plan_.kind == Kind::kByFirstValue) Decide();
    return !number || ParseNumber(field, &number_) ? "" : NotANumber(plan_.name, field);
  }

  // Learns from what was read last. InvalidArgument: too many different values.
  absl::Status Learn() {
    switch (plan_.kind) {
      case Kind::kNumeric:
        if (!is_missing_) numbers_.Add(number_);
        return absl::OkStatus();
      case Kind::kClass:
      case Kind::kDictionary:
        return Count();
      default:
        return absl::OkStatus();
    }
  }

  // False: it has no features.
  bool Describe(const v1::Csv& settings, v1::FeatureColumn* column) const {
    column->set_name(plan_.name);
    if (plan_.kind == Kind::kNumeric) {
      *column->mutable_numeric() = numbers_.Treatment();
    } else if (plan_.kind == Kind::kDictionary) {
      *column->mutable_dictionary() = categories_.Treatment(settings, plan_.missing_category);
    } else if (plan_.kind == Kind::kHash) {
      column->mutable_hash()->set_buckets(plan_.hash_buckets);
      column->mutable_hash()->set_missing(plan_.missing_category);
    } else if (plan_.kind == Kind::kId) {
      *column->mutable_id() = plan_.id;
      return true;
    } else {
      return false;
    }
    return FeatureWidth(*column) > 0;
  }

  std::vector<std::string> Classes() const { return categories_.Classes(); }

 private:
  std::string ReadIds(std::string_view field) {
    ids_.clear();
    return AppendIds(plan_.name, /*name=*/0, plan_.id, field, &ids_);
  }

  std::string MissingProblem() const {
    if (plan_.is_label()) return LabelIsMissing(plan_.name);
    if (plan_.kind == Kind::kId) {
      return plan_.id.missing() == v1::CsvColumn::ERROR ? ValueIsMissing(plan_.name) : "";
    }
    const bool in_number = plan_.missing_number == v1::CsvColumn::ERROR;
    const bool in_category = plan_.missing_category == v1::CsvColumn::ERROR;
    const bool wrong = plan_.kind == Kind::kByFirstValue ? in_number && in_category
                       : plan_.kind == Kind::kNumeric    ? in_number
                                                         : in_category;
    return wrong ? ValueIsMissing(plan_.name) : "";
  }

  void Decide() {
    plan_.kind = ParseNumber(field_, &number_) ? Kind::kNumeric : plan_.categorical();
  }

  absl::Status Count() {
    if (is_missing_) {
      categories_.AddMissing();
      return absl::OkStatus();
    }
    categories_.Add(field_);
    if (plan_.is_label() && categories_.TooMany(kMaxClasses)) {
      return absl::InvalidArgumentError(
          absl::StrCat("label \"", plan_.name, "\" has more than ", kMaxClasses,
                       " different values: is it a number to predict (model linear_regression)?"));
    }
    if (categories_.TooMany(kMaxCounted)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "column \"", plan_.name, "\" has more than ", kMaxCounted,
          " different values; set hash_buckets or type: IGNORE in data.csv.column { name: \"",
          plan_.name, "\" }"));
    }
    return absl::OkStatus();
  }

  ColumnPlan plan_;
  const MissingValues& missing_;
  NumberStatistics numbers_;
  CategoryStatistics categories_;
  std::string_view field_;
  bool is_missing_ = false;
  double number_ = 0;
  std::vector<uint64_t> ids_;
};

// Reads a row into all columns; "": it is good.
std::string ReadRow(const CsvRecord& row, std::vector<ColumnLearner>* columns) {
  std::string problem;
  for (size_t i = 0; i < columns->size() && problem.empty(); ++i) {
    problem = (*columns)[i].Read(row.fields[i]);
  }
  return problem;
}

absl::StatusOr<uint64_t> LearnRows(CsvFile* file, std::vector<ColumnLearner>* columns) {
  uint64_t rows = 0;
  while (true) {
    CONVOY_ASSIGN_OR_RETURN(const CsvRecord* const row, file->Next());
    if (row == nullptr) return rows;
    if (const std::string problem = ReadRow(*row, columns); !problem.empty()) {
      CONVOY_RETURN_IF_ERROR(file->Reject(*row, problem));
      continue;
    }
    ++rows;
    for (ColumnLearner& column : *columns) {
      CONVOY_RETURN_IF_ERROR(Annotate(column.Learn(), absl::StrCat(file->name(), ":", row->line)));
    }
  }
}

void DescribeFile(const CsvFile& file, const CsvLayout& layout, const MissingValues& missing,
                  uint64_t rows, v1::Schema* schema) {
  schema->set_version(kSchemaVersion);
  schema->set_separator(std::string(1, layout.dialect.separator));
  schema->set_header(layout.header);
  schema->set_quotes(layout.dialect.quotes);
  for (const std::string& value : missing.values()) schema->add_missing_value(value);
  schema->set_fields(static_cast<uint32_t>(file.columns().size()));
  schema->set_rows(static_cast<uint32_t>(rows));
  schema->set_bad_lines(static_cast<uint32_t>(file.bad_lines()));
  if (file.bad_lines() > 0) schema->set_first_bad_line(file.first_bad_line());
}

void DescribeColumns(const std::vector<ColumnLearner>& columns, const v1::Csv& settings,
                     v1::Schema* schema) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnPlan& plan = columns[i].plan();
    if (plan.is_label()) {
      schema->mutable_label()->set_name(plan.name);
      schema->mutable_label()->set_number(static_cast<uint32_t>(i + 1));
      for (std::string& name : columns[i].Classes()) {
        schema->mutable_label()->add_class_name(std::move(name));
      }
      continue;
    }
    v1::FeatureColumn column;
    column.set_number(static_cast<uint32_t>(i + 1));
    if (columns[i].Describe(settings, &column)) *schema->add_column() = std::move(column);
  }
}

absl::Status CheckRows(const CsvFile& file, uint64_t rows) {
  if (rows == 0) {
    return absl::InvalidArgumentError(absl::StrCat(file.name(), ": there are no rows in it",
                                                   file.header() ? " but the header" : ""));
  }
  if (rows > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name(), ": expected at most 2^32 - 1 rows, got ", rows));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Schema> LearnSchema(SourceOpener open, const std::string& name,
                                       const v1::Csv& settings, bool tsv) {
  const MissingValues missing(settings.missing_value());
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, open());
  CONVOY_ASSIGN_OR_RETURN(const CsvHead head, ReadHead(source.get()));
  const CsvLayout layout = SniffLayout(head, settings, tsv);
  CONVOY_ASSIGN_OR_RETURN(const std::vector<SniffedColumn> sniffed,
                          SniffColumns(head, name, layout, missing));
  CONVOY_ASSIGN_OR_RETURN(source, open());
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file,
                          CsvFile::Open(std::move(source), name, layout, settings.max_bad_lines()));
  CONVOY_ASSIGN_OR_RETURN(std::vector<ColumnPlan> plans, PlanColumns(*file, sniffed, settings));
  std::vector<ColumnLearner> columns;
  for (ColumnPlan& plan : plans) columns.emplace_back(std::move(plan), missing);
  CONVOY_ASSIGN_OR_RETURN(const uint64_t rows, LearnRows(file.get(), &columns));
  CONVOY_RETURN_IF_ERROR(CheckRows(*file, rows));
  v1::Schema schema;
  DescribeFile(*file, layout, missing, rows, &schema);
  DescribeColumns(columns, settings, &schema);
  CONVOY_RETURN_IF_ERROR(Annotate(LayOutFeatures(&schema), name));
  return schema;
}

}  // namespace convoy
