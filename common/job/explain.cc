#include "common/job/explain.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/job/field_text.h"
#include "common/job/range.h"
#include "common/status.h"

namespace convoy {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::OneofDescriptor;
using Field = JobSchema::Field;
using Group = JobSchema::Group;

// Type and default: "a number > 0, default 0.01".
std::string Facts(const Field& field) {
  const std::string value = DefaultText(field);
  return absl::StrCat(TypeText(field), value.empty() ? "" : ", default ", value);
}

bool IsGroup(const Field& field) { return field.message_type() != nullptr && !field.is_map(); }

// The comment, unless it only repeats the range.
std::string What(const JobSchema& schema, const Field& field) {
  std::string comment = schema.Comment(field);
  const ValueRange* range = FindRange(field);
  if (range == nullptr) return comment;
  const std::string sentence = absl::StrCat(range->ToString(), ".");
  return absl::EqualsIgnoreCase(comment, sentence) ? "" : comment;
}

std::string Indented(const std::string& text, const std::string& indent) {
  std::string result;
  for (const auto line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&result, line.empty() ? "" : indent, line, "\n");
  }
  return result;
}

// "one of sgd, momentum, ...": which alternatives of a group exclude each other.
std::string AlternativesText(const OneofDescriptor& oneof) {
  std::vector<std::string> names;
  for (int i = 0; i < oneof.field_count(); ++i) names.push_back(oneof.field(i)->name());
  return absl::StrCat("one of ", absl::StrJoin(names, ", "));
}

void AppendTree(const Group& group, const std::string& indent, std::string* text) {
  for (int i = 0; i < group.field_count(); ++i) {
    const Field& field = *group.field(i);
    std::string left = absl::StrCat(indent, field.name(), IsGroup(field) ? " {}" : "");
    left.resize(std::max<size_t>(left.size() + 2, 32), ' ');
    const OneofDescriptor* oneof = field.real_containing_oneof();
    const std::string facts = IsGroup(field) && !field.is_repeated() ? "" : Facts(field);
    const std::string either = oneof == nullptr ? "" : absl::StrCat("either as ", oneof->name());
    absl::StrAppend(text, left, facts, facts.empty() || either.empty() ? "" : "; ", either);
    text->erase(text->find_last_not_of(' ') + 1);
    text->push_back('\n');
    if (IsGroup(field)) AppendTree(*field.message_type(), indent + "  ", text);
  }
}

void AppendValues(const JobSchema& schema, const EnumDescriptor& type, const std::string& indent,
                  std::string* text) {
  for (int i = 0; i < type.value_count(); ++i) {
    absl::StrAppend(text, indent, type.value(i)->name(), "\n",
                    Indented(schema.Comment(*type.value(i)), indent + "  "));
  }
}

void AppendField(const JobSchema& schema, const Field& field, std::string* text) {
  absl::StrAppend(text, "\n  ", field.name(), ": ", Facts(field), "\n");
  const std::string comment = What(schema, field);
  if (!comment.empty()) absl::StrAppend(text, Indented(comment, "      "));
}

void AppendGroup(const JobSchema& schema, const Group& group, std::string* text) {
  for (int i = 0; i < group.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& oneof = *group.oneof_decl(i);
    absl::StrAppend(text, "\n  ", AlternativesText(oneof), "\n",
                    Indented(schema.Comment(oneof), "      "));
  }
  for (int i = 0; i < group.field_count(); ++i) AppendField(schema, *group.field(i), text);
}

// ---- the page

// In one line, for a cell of a table; lines that are indented stay lines.
std::string Cell(const std::string& text) {
  std::string result = absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n  ", "<br>"}, {"\n", " "}});
  return absl::StrReplaceAll(result, {{"<br>  ", " "}});
}

void AppendMarkdownTable(const JobSchema& schema, const Group& group, std::string* text) {
  if (group.field_count() == 0) return;
  absl::StrAppend(text, "\n| field | type | default | what |\n| --- | --- | --- | --- |\n");
  for (int i = 0; i < group.field_count(); ++i) {
    const Field& field = *group.field(i);
    const std::string value = DefaultText(field);
    std::string what = Cell(What(schema, field));
    if (field.enum_type() != nullptr) {
      for (int v = 0; v < field.enum_type()->value_count(); ++v) {
        absl::StrAppend(&what, "<br>`", field.enum_type()->value(v)->name(),
                        "`: ", Cell(schema.Comment(*field.enum_type()->value(v))));
      }
    }
    absl::StrAppend(text, "| `", field.name(), "` | ", Cell(TypeText(field)), " | ",
                    value.empty() ? "" : absl::StrCat("`", value, "`"), " | ", what, " |\n");
  }
}

void AppendMarkdownGroup(const JobSchema& schema, const Group& group, const std::string& path,
                         std::string* text) {
  for (int i = 0; i < group.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& oneof = *group.oneof_decl(i);
    absl::StrAppend(text, "\n", Indented(schema.Comment(oneof), ""), "It is ",
                    AlternativesText(oneof), ".\n");
  }
  AppendMarkdownTable(schema, group, text);
  for (int i = 0; i < group.field_count(); ++i) {
    const Field& field = *group.field(i);
    if (!IsGroup(field) || field.message_type()->field_count() == 0) continue;
    const std::string inner = JoinPath(path, field.name());
    absl::StrAppend(text, "\n", path.empty() ? "## " : "### ", inner, "\n\n", schema.Comment(field),
                    "\n");
    AppendMarkdownGroup(schema, *field.message_type(), inner, text);
  }
}

}  // namespace

std::string ExplainTree(const JobSchema& schema) {
  std::string text = absl::StrCat(schema.FileComment(), "\n\n");
  AppendTree(schema.job(), "", &text);
  absl::StrAppend(&text, "\nconvoy explain PATH says more, e.g. convoy explain optimizer.adam\n");
  return text;
}

absl::StatusOr<std::string> Explain(const JobSchema& schema, std::string_view path) {
  CONVOY_ASSIGN_OR_RETURN(const Field* field, schema.Find(path));
  if (field == nullptr) return ExplainTree(schema);
  std::string text = absl::StrCat(std::string(path), ": ", Facts(*field), "\n");
  if (const OneofDescriptor* oneof = field->real_containing_oneof()) {
    absl::StrAppend(&text, "  ", AlternativesText(*oneof), "; setting one clears the others\n");
  }
  const std::string comment = What(schema, *field);
  if (!comment.empty()) absl::StrAppend(&text, "\n", Indented(comment, "  "));
  if (field->enum_type() != nullptr) {
    text.push_back('\n');
    AppendValues(schema, *field->enum_type(), "  ", &text);
  }
  if (IsGroup(*field)) AppendGroup(schema, *field->message_type(), &text);
  return text;
}

std::string JobReferenceMarkdown(const JobSchema& schema) {
  std::string text = absl::StrCat(
      "# Job file reference\n\n"
      "<!-- Made by `convoy explain --markdown > docs/job_reference.md`; a test compares them. "
      "-->\n\n",
      schema.FileComment(),
      "\n\n[job_file.md](job_file.md) explains the file and `--set`; `convoy explain PATH` "
      "prints what this page says of one field.\n");
  AppendMarkdownGroup(schema, schema.job(), "", &text);
  return text;
}

}  // namespace convoy
