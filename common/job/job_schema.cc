#include "common/job/job_schema.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/job/field_text.h"
#include "common/job/range.h"
#include "common/job/set_argument.h"
#include "common/number_text.h"
#include "google/protobuf/descriptor.pb.h"
#include "proto/job_schema.h"

namespace convoy {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::SourceLocation;

// Without the blank after // and the new line at the end.
std::string Tidy(const std::string& comment) {
  std::vector<std::string> lines = absl::StrSplit(comment, '\n');
  for (std::string& line : lines) {
    line = std::string(absl::StripPrefix(line, " "));
    absl::StripTrailingAsciiWhitespace(&line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return absl::StrJoin(lines, "\n");
}

template <typename Descriptor>
std::string LeadingComment(const Descriptor& descriptor) {
  SourceLocation location;
  return descriptor.GetSourceLocation(&location) ? Tidy(location.leading_comments) : "";
}

std::string ValuesText(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) names.push_back(type.value(i)->name());
  return absl::StrCat("one of ", absl::StrJoin(names, ", "));
}

std::string OneText(const FieldDescriptor& field) {
  const ValueRange* range = FindRange(field);
  const std::string suffix = range == nullptr ? "" : absl::StrCat(" ", range->ToString());
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "a group";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    case FieldDescriptor::CPPTYPE_ENUM:
      return ValuesText(*field.enum_type());
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::StrCat("a number", suffix);
    default:
      return absl::StrCat("a whole number", suffix);
  }
}

}  // namespace

JobSchema::JobSchema() : pool_(std::make_unique<google::protobuf::DescriptorPool>()) {
  google::protobuf::FileDescriptorSet files;
  const std::string_view bytes = JobSchemaBytes();
  if (!files.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) std::abort();
  for (const auto& file : files.file()) pool_->BuildFile(file);
  job_ = pool_->FindMessageTypeByName("convoy.v1.Job");
}

absl::StatusOr<const JobSchema::Field*> JobSchema::Find(std::string_view path) const {
  if (path.empty()) return nullptr;
  // The grammar of --set, without its value.
  const absl::StatusOr<SetArgument> parsed =
      ParseSetArgument(absl::StrCat(std::string(path), "=0"));
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", Shown(path), "\" is no path of a field, such as optimizer.adam.beta1"));
  }
  const Field* field = nullptr;
  std::string outer;
  for (const SetStep& step : parsed->path) {
    const Group* group = field == nullptr ? job_ : field->message_type();
    if (group == nullptr || (field != nullptr && field->is_map())) {
      return absl::InvalidArgumentError(
          absl::StrCat(outer, " has no fields: it is ", TypeText(*field)));
    }
    field = group->FindFieldByName(step.name);
    if (field == nullptr) {
      return absl::InvalidArgumentError(UnknownFieldText(*group, outer, step.name));
    }
    outer = JoinPath(outer, step.name);
  }
  return field;
}

std::string JobSchema::Comment(const Field& field) const {
  std::string own = LeadingComment(field);
  if (!own.empty() || field.message_type() == nullptr) return own;
  return LeadingComment(*field.message_type());
}

std::string JobSchema::Comment(const google::protobuf::EnumValueDescriptor& value) const {
  return LeadingComment(value);
}

std::string JobSchema::Comment(const google::protobuf::OneofDescriptor& alternatives) const {
  return LeadingComment(alternatives);
}

std::string JobSchema::FileComment() const {
  SourceLocation location;
  // Path of FileDescriptorProto.syntax.
  return job_->file()->GetSourceLocation({12}, &location) ? Tidy(location.leading_comments) : "";
}

std::string TypeText(const FieldDescriptor& field) {
  if (field.is_map()) return "texts by name";
  if (!field.is_repeated()) return OneText(field);
  if (field.message_type() != nullptr) return "any number of groups";
  return absl::StrCat("a list, each ", OneText(field));
}

std::string DefaultText(const FieldDescriptor& field) {
  if (!field.has_default_value()) return "";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return field.default_value_bool() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return field.default_value_enum()->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return absl::StrCat("\"", field.default_value_string(), "\"");
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return NumberText(field.default_value_double());
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(field.default_value_uint32());
    default:
      return absl::StrCat(field.default_value_uint64());
  }
}

}  // namespace convoy
