#include "launcher/coordinator/setup_comparison.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr int kMaxVariables = 100'000;
constexpr uint64_t kMaxExamples = uint64_t{1} << 40;

std::string Describe(const v1::Variable& variable) {
  return absl::StrFormat("\"%s\" [%s] %s(%g)", variable.name(),
                         absl::StrJoin(variable.shape(), ", "),
                         v1::Variable::Initializer_Name(variable.initializer()), variable.scale());
}

std::string DescribeAt(const v1::ReadyRequest& setup, int index) {
  return index < setup.variables_size() ? Describe(setup.variables(index)) : "no such variable";
}

std::string DescribeTableAt(const v1::ReadyRequest& setup, int index) {
  if (index >= setup.tables_size()) return "no such table";
  std::vector<std::string> ranges;
  for (const v1::ColumnRange& range : setup.tables(index).ranges()) {
    ranges.push_back(absl::StrFormat("%s: %d %s(%g)", range.name(), range.size(),
                                     v1::Variable::Initializer_Name(range.initializer()),
                                     range.scale()));
  }
  return absl::StrFormat("\"%s\" {%s}", setup.tables(index).name(), absl::StrJoin(ranges, ", "));
}

}  // namespace

std::string DescribeDifference(const std::string& name, const v1::ReadyRequest& setup,
                               const std::string& other_name, const v1::ReadyRequest& other) {
  for (int i = 0; i < std::max(setup.variables_size(), other.variables_size()); ++i) {
    const std::string mine = DescribeAt(setup, i), theirs = DescribeAt(other, i);
    if (mine != theirs) {
      return absl::StrCat("the workers have different models: variable ", i, " of ", name, " is ",
                          mine, ", that of ", other_name, " is ", theirs);
    }
  }
  for (int i = 0; i < std::max(setup.tables_size(), other.tables_size()); ++i) {
    const std::string mine = DescribeTableAt(setup, i), theirs = DescribeTableAt(other, i);
    if (mine != theirs) {
      return absl::StrCat("the workers have different models: table ", i, " of ", name, " is ",
                          mine, ", that of ", other_name, " is ", theirs);
    }
  }
  const v1::DataSummary &a = setup.data(), &b = other.data();
  const struct {
    const char* what;
    uint64_t mine, theirs;
  } figures[] = {
      {"training examples", a.examples(), b.examples()},
      {"validation examples", a.validation_examples(), b.validation_examples()},
      {"test examples", a.test_examples(), b.test_examples()},
      {"old examples", a.old_examples(), b.old_examples()},
      {"old validation examples", a.validation_old_examples(), b.validation_old_examples()},
      {"examples in an epoch", a.epoch_examples(), b.epoch_examples()},
      {"features", a.features(), b.features()},
      {"fields", a.fields(), b.fields()},
      {"classes", a.classes(), b.classes()}};
  for (const auto& figure : figures) {
    if (figure.mine != figure.theirs) {
      return absl::StrCat("the workers have different data: ", name, " has ", figure.mine, " ",
                          figure.what, ", ", other_name, " has ", figure.theirs);
    }
  }
  if (setup.schema().SerializeAsString() != other.schema().SerializeAsString()) {
    return absl::StrCat("the workers have different data: ", name, " and ", other_name,
                        " have learnt different schemas from their training files");
  }
  if (a.fingerprint() == b.fingerprint()) return "";
  return absl::StrFormat(
      "the workers have different data: checksum %016x in %s, %016x in %s; their files or data "
      "options differ",
      a.fingerprint(), name, b.fingerprint(), other_name);
}

absl::Status CheckSetup(const v1::ReadyRequest& setup) {
  if (setup.variables_size() > kMaxVariables) {
    return absl::InvalidArgumentError(absl::StrCat("variables: got ", setup.variables_size(),
                                                   ", at most ", kMaxVariables, " are possible"));
  }
  std::set<std::string> names;
  for (const v1::Variable& variable : setup.variables()) {
    VariableSpec spec;
    CONVOY_RETURN_IF_ERROR(FromProto(variable, &spec));
    if (!names.insert(spec.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("variable \"", spec.name, "\" is declared twice"));
    }
  }
  for (const v1::Table& table : setup.tables()) {
    TableSpec spec;
    CONVOY_RETURN_IF_ERROR(FromProto(table, &spec));
    if (!names.insert(spec.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("table \"", spec.name, "\" is declared twice, or as a variable too"));
    }
  }
  if (setup.data().examples() == 0) {
    return absl::InvalidArgumentError("the training data have no examples");
  }
  const v1::DataSummary& data = setup.data();
  if (std::max({data.examples(), data.epoch_examples(), data.validation_examples(),
                data.test_examples(), data.old_examples(), data.validation_old_examples()}) >
      kMaxExamples) {
    return absl::InvalidArgumentError("data: more than 2^40 examples");
  }
  return absl::OkStatus();
}

}  // namespace convoy
