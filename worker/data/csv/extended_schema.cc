#include "worker/data/csv/extended_schema.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/csv/schema_layout.h"

namespace convoy {
namespace {

const v1::FeatureColumn* FindOwn(const v1::Schema& schema, const std::string& name) {
  for (const v1::FeatureColumn& column : schema.column()) {
    if (column.name() == name && !column.more()) return &column;
  }
  return nullptr;
}

const char* KindOfColumn(const v1::FeatureColumn& column) {
  switch (column.treatment_case()) {
    case v1::FeatureColumn::kNumeric:
      return "numeric";
    case v1::FeatureColumn::kDictionary:
      return "categorical";
    case v1::FeatureColumn::kHash:
      return "hashed";
    default:
      return "an id";
  }
}

class SchemaExtension {
 public:
  SchemaExtension(const v1::Schema& earlier, const v1::Schema& learned, const std::string& name)
      : earlier_(earlier), learned_(learned), name_(name), schema_(learned) {}

  absl::StatusOr<v1::Schema> Run() {
    schema_.clear_column();
    CONVOY_RETURN_IF_ERROR(KeepColumns());
    for (v1::FeatureColumn& column : more_) *schema_.add_column() = std::move(column);
    for (const v1::FeatureColumn& column : learned_.column()) {
      if (FindOwn(earlier_, column.name()) == nullptr) *schema_.add_column() = column;
    }
    CONVOY_RETURN_IF_ERROR(ExtendClasses());
    CONVOY_RETURN_IF_ERROR(Annotate(LayOutFeatures(&schema_), name_));
    return std::move(schema_);
  }

 private:
  absl::Status Wrong(const std::string& column, const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ": column \"", column, "\" ", what,
                     "; the weights of init.from go with the columns that they were trained on"));
  }

  absl::Status KeepColumns() {
    for (const v1::FeatureColumn& column : earlier_.column()) {
      const v1::FeatureColumn* const now = FindOwn(learned_, column.name());
      if (now == nullptr) return Wrong(column.name(), "of init.from is not there, or is empty");
      v1::FeatureColumn kept = column;
      kept.set_number(now->number());
      *schema_.add_column() = std::move(kept);
      if (!column.more()) CONVOY_RETURN_IF_ERROR(Compare(column, *now));
    }
    return absl::OkStatus();
  }

  absl::Status Compare(const v1::FeatureColumn& before, const v1::FeatureColumn& now) {
    if (before.treatment_case() != now.treatment_case()) {
      return Wrong(before.name(),
                   absl::StrCat("is ", KindOfColumn(now), ", in init.from it is ",
                                KindOfColumn(before), ": set its type in data.csv.column"));
    }
    if (before.has_hash() && before.hash().buckets() != now.hash().buckets()) {
      return Wrong(before.name(),
                   absl::StrCat("has ", now.hash().buckets(), " hash_buckets, in init.from it has ",
                                before.hash().buckets()));
    }
    if (before.has_dictionary()) AddCategories(now);
    return absl::OkStatus();
  }

  // Those that no column of this name has.
  void AddCategories(const v1::FeatureColumn& now) {
    std::set<std::string> known;
    for (const v1::FeatureColumn& column : earlier_.column()) {
      if (column.name() != now.name()) continue;
      known.insert(column.dictionary().category().begin(), column.dictionary().category().end());
    }
    v1::FeatureColumn more;
    more.set_name(now.name());
    more.set_number(now.number());
    more.set_more(true);
    more.mutable_dictionary()->set_missing(v1::CsvColumn::ZERO);
    for (const std::string& category : now.dictionary().category()) {
      if (!known.contains(category)) more.mutable_dictionary()->add_category(category);
    }
    if (more.dictionary().category_size() > 0) more_.push_back(std::move(more));
  }

  absl::Status ExtendClasses() {
    const auto& before = earlier_.label().class_name();
    const auto& now = learned_.label().class_name();
    if (before.empty() != now.empty()) {
      return Wrong(learned_.label().name(), now.empty()
                                                ? "is a number, in init.from it is a class"
                                                : "is a class, in init.from it is a number");
    }
    const std::set<std::string> known(before.begin(), before.end());
    *schema_.mutable_label()->mutable_class_name() = before;
    for (const std::string& name : now) {
      if (!known.contains(name)) schema_.mutable_label()->add_class_name(name);
    }
    return absl::OkStatus();
  }

  const v1::Schema& earlier_;
  const v1::Schema& learned_;
  const std::string& name_;
  v1::Schema schema_;
  std::vector<v1::FeatureColumn> more_;
};

}  // namespace

absl::StatusOr<v1::Schema> ExtendSchema(const v1::Schema& earlier, const v1::Schema& learned,
                                        const std::string& name) {
  return SchemaExtension(earlier, learned, name).Run();
}

}  // namespace convoy
