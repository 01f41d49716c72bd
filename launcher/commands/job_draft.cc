#include "launcher/commands/job_draft.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace convoy {
namespace {

constexpr uint64_t kSteps = 3000;
constexpr size_t kShownColumns = 8;

bool IsCsv(const DataSurvey& survey) {
  return survey.format == v1::Data::CSV || survey.format == v1::Data::TSV;
}

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\"");
}

// As it may stand in a comment: in one line.
std::string InComment(const std::string& name) { return absl::Utf8SafeCEscape(name); }

std::string Listed(const char* what, std::vector<std::string> names) {
  if (names.empty()) return "";
  const size_t count = names.size();
  names.resize(std::min(count, kShownColumns));
  return absl::StrCat("# ", count, " ", what, ": ", absl::StrJoin(names, ", "),
                      count > kShownColumns ? ", ...\n" : "\n");
}

std::string ColumnComments(const v1::Schema& schema) {
  std::vector<std::string> numbers, categories;
  for (const v1::FeatureColumn& column : schema.column()) {
    const std::string name = InComment(column.name());
    if (column.has_numeric()) {
      numbers.push_back(name);
    } else {
      categories.push_back(absl::StrCat(name, " (", column.dictionary().category_size(), ")"));
    }
  }
  return Listed("columns of numbers", numbers) + Listed("columns of categories", categories);
}

std::string Goal(const DataSurvey& survey) {
  if (survey.classes == 0) return "a number";
  if (!IsCsv(survey)) return absl::StrCat(survey.classes, " classes");
  std::vector<std::string> names;
  for (const std::string& name : survey.schema.label().class_name())
    names.push_back(InComment(name));
  const size_t count = names.size();
  names.resize(std::min(count, kShownColumns));
  return absl::StrCat(count, " classes: ", absl::StrJoin(names, ", "),
                      count > kShownColumns ? ", ..." : "");
}

std::string Head(const DataSurvey& survey) {
  const std::string label =
      IsCsv(survey) ? absl::StrCat(" \"", InComment(survey.schema.label().name()), "\"") : "";
  std::string head =
      absl::StrCat("# Learns the label", label, " (", Goal(survey), ") of ", survey.examples,
                   " examples from ", survey.features, " features.\n");
  if (IsCsv(survey)) head += ColumnComments(survey.schema);
  return head + "# Train it: convoy train THIS_FILE    All settings: convoy explain\n";
}

std::string DataSection(const DataSurvey& survey) {
  std::string section = absl::StrCat("data {\n  format: ", v1::Data::Format_Name(survey.format),
                                     "\n  train: ", Quoted(survey.path), "\n");
  if (IsCsv(survey)) {
    const v1::LabelColumn& label = survey.schema.label();
    absl::StrAppend(
        &section,
        "  # For one column, e.g.: column { name: \"...\" type: IGNORE }, see docs/csv.md\n",
        "  csv { label: ", Quoted(label.name()),
        label.class_name().empty() ? " label_type: NUMBER" : " label_type: CLASS", " }\n");
  }
  return section + "  validation { fraction: 0.2 }  # held back by the seed\n}\n";
}

struct Recipe {
  const char* model;
  const char* alternative;  // "": none
  const char* optimizer;
  double learning_rate;
};

// A step of sgd on squared errors is stable below 2 / E|x|^2; each standardised or one-hot column
// adds about 1 to that, as does the bias. A fifth of it leaves room for rows far from the mean.
double RegressionRate(const v1::Schema& schema) { return 0.2 / (schema.column_size() + 1); }

Recipe RecipeFor(const DataSurvey& survey) {
  if (survey.classes == 0 && IsCsv(survey)) {
    return {"linear_regression {}", "", "sgd {}", RegressionRate(survey.schema)};
  }
  if (survey.classes == 0) return {"linear_regression {}", "", "adagrad {}", 0.1};
  const bool wide = survey.format == v1::Data::LIBSVM || survey.schema.sparse();
  if (survey.images) return {"mlp { hidden: 128 }", "conv_net {}", "momentum {}", 0.05};
  if (survey.classes == 2) return {"logistic_regression {}", "mlp { hidden: 64 }", "adam {}", 0.01};
  if (wide) return {"softmax_regression {}", "mlp { hidden: 64 }", "adam {}", 0.01};
  return {"mlp { hidden: 64 }", "softmax_regression {}", "adam {}", 0.003};
}

uint64_t BatchSize(uint64_t examples) { return examples < 2000 ? 16 : examples < 20000 ? 32 : 128; }

uint64_t Epochs(uint64_t examples) {
  const uint64_t steps = std::max<uint64_t>(1, examples / BatchSize(examples));
  return std::clamp<uint64_t>(kSteps / steps, 5, 100);
}

}  // namespace

std::string DraftJob(const DataSurvey& survey) {
  const Recipe recipe = RecipeFor(survey);
  const std::string alternative = recipe.alternative;
  return absl::StrCat(Head(survey), DataSection(survey), "model { ", recipe.model, " }",
                      alternative.empty() ? "\n" : absl::StrCat("  # or ", alternative, "\n"),
                      absl::StrFormat("optimizer { %s learning_rate: %.3g }\n", recipe.optimizer,
                                      recipe.learning_rate),
                      "training { epochs: ", Epochs(survey.examples),
                      " batch_size: ", BatchSize(survey.examples),
                      " }\ncluster { servers: 1 workers: 2 }\n");
}

}  // namespace convoy
