#include "common/job/field_text.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/range.h"
#include "common/job/suggest.h"
#include "proto/job.pb.h"

namespace convoy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

constexpr size_t kMaxShown = 60;

std::vector<std::string> FieldNames(const Descriptor& group) {
  std::vector<std::string> names;
  for (int i = 0; i < group.field_count(); ++i) names.push_back(group.field(i)->name());
  return names;
}

std::vector<std::string> ValueNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) names.push_back(type.value(i)->name());
  return names;
}

// Path below `path` of the first field called `name` in `group` or its groups; empty: none.
std::string PathOf(const Descriptor& group, const std::string& path, std::string_view name) {
  for (int i = 0; i < group.field_count(); ++i) {
    const FieldDescriptor& field = *group.field(i);
    const std::string field_path = JoinPath(path, field.name());
    if (field.name() == name) return field_path;
    if (field.message_type() == nullptr || field.is_repeated()) continue;
    std::string found = PathOf(*field.message_type(), field_path, name);
    if (!found.empty()) return found;
  }
  return "";
}

std::string WholeNumberRange(const FieldDescriptor& field) {
  if (const ValueRange* range = FindRange(field)) return range->ToString();
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ? "from 0 to 4294967295"
                                                             : "from 0 to 18446744073709551615";
}

std::string Expected(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_STRING:
      return "a string in quotes";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return absl::StrCat("a group of fields, ", field.name(), " { ... }");
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const ValueRange* range = FindRange(field);
      return range == nullptr ? "a number" : absl::StrCat("a number ", range->ToString());
    }
    default:
      return absl::StrCat("a whole number ", WholeNumberRange(field));
  }
}

std::string UnknownValueText(const EnumDescriptor& type, std::string_view path,
                             std::string_view value) {
  const std::vector<std::string> names = ValueNames(type);
  const std::string nearest = Nearest(value, names);
  return absl::StrCat("unknown value \"", Shown(value), "\" for ", std::string(path),
                      nearest.empty() ? ". " : absl::StrCat(", did you mean ", nearest, "? "),
                      "Values: ", absl::StrJoin(names, ", "));
}

}  // namespace

std::string JoinPath(std::string_view path, std::string_view name) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  return joined.append(name);
}

std::string ElementPath(std::string_view path, int index) {
  return absl::StrCat(std::string(path), "[", index, "]");
}

std::string GroupName(std::string_view path) {
  return path.empty() ? "the job" : std::string(path);
}

std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kMaxShown));
  for (char& c : shown) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = '?';
  }
  if (text.size() > kMaxShown) shown += "...";
  return shown;
}

std::string SuggestedField(const Descriptor& group, std::string_view name) {
  const std::string nearest = Nearest(name, FieldNames(group));
  return nearest.empty() ? PathOf(*v1::Job::descriptor(), "", name) : nearest;
}

std::string UnknownFieldText(const Descriptor& group, std::string_view path,
                             std::string_view name) {
  const std::string suggestion = SuggestedField(group, name);
  std::string text = absl::StrCat("unknown field \"", Shown(name), "\" in ", GroupName(path));
  if (!suggestion.empty()) return absl::StrCat(text, ", did you mean \"", suggestion, "\"?");
  const std::vector<std::string> names = FieldNames(group);
  if (names.empty()) return absl::StrCat(text, ", which has no fields");
  return absl::StrCat(text, ". Fields: ", absl::StrJoin(names, ", "));
}

std::string WrongValueText(const FieldDescriptor& field, std::string_view path,
                           std::string_view value) {
  if (field.enum_type() != nullptr) return UnknownValueText(*field.enum_type(), path, value);
  return absl::StrCat(std::string(path), " must be ", Expected(field), ", got ",
                      value.empty() ? "nothing" : Shown(value));
}

}  // namespace convoy
