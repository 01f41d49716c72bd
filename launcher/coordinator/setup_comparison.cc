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

std::string DescribeRange(const v1::ColumnRange& range) {
  return absl::StrFormat("%s: %d %s(%g)", range.name(), range.size(),
                         v1::Variable::Initializer_Name(range.initializer()), range.scale());
}

// What a worker has of one kind, in the order of its model.
using Described = std::vector<std::string>;

Described DescribeVariables(const v1::ReadyRequest& setup) {
  Described variables;
  for (const v1::Variable& variable : setup.variables()) variables.push_back(Describe(variable));
  return variables;
}

// One for each range of columns.
Described DescribeTables(const v1::ReadyRequest& setup) {
  Described ranges;
  for (const v1::Table& table : setup.tables()) {
    for (const v1::ColumnRange& range : table.ranges())
      ranges.push_back(absl::StrFormat("\"%s\" {%s}", table.name(), DescribeRange(range)));
  }
  return ranges;
}

// The first that differs, and how many more do; "": none. A table or variable in between that the
// other one does not have makes all that follow differ.
std::string FirstDifference(const std::string& kind, const std::string& name, const Described& mine,
                            const std::string& other_name, const Described& theirs) {
  const auto at = [&kind](const Described& all, size_t index) {
    return index < all.size() ? all[index] : absl::StrCat("no such ", kind);
  };
  std::string first;
  size_t more = 0;
  for (size_t i = 0; i < std::max(mine.size(), theirs.size()); ++i) {
    if (at(mine, i) == at(theirs, i)) continue;
    if (!first.empty()) {
      ++more;
    } else {
      first = absl::StrCat("the workers have different models: ", kind, " ", i, " of ", name,
                           " is ", at(mine, i), ", that of ", other_name, " is ", at(theirs, i));
    }
  }
  if (more > 0)
    absl::StrAppend(&first, ", and ", more, more == 1 ? " more differs" : " more differ");
  return first;
}

}  // namespace

std::string DescribeDifference(const std::string& name, const v1::ReadyRequest& setup,
                               const std::string& other_name, const v1::ReadyRequest& other) {
  for (const std::string& difference : {FirstDifference("variable", name, DescribeVariables(setup),
                                                        other_name, DescribeVariables(other)),
                                        FirstDifference("table range", name, DescribeTables(setup),
                                                        other_name, DescribeTables(other))}) {
    if (!difference.empty()) return difference;
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
