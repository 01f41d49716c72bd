#include "common/job/set_field.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/job/field_text.h"
#include "common/job/scalar_text.h"
#include "common/job/set_argument.h"
#include "common/job/text_parse.h"
#include "common/status.h"

namespace convoy {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsText(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

std::string Trimmed(std::string_view text) {
  return std::string(absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size())));
}

// Follows the path of one argument and changes what is at its end.
class Setter {
 public:
  explicit Setter(const SetArgument& argument) : argument_(argument) {}

  // Returns the path of what has changed.
  absl::StatusOr<std::string> Apply(Message* job) {
    Message* group = job;
    for (size_t i = 0; i + 1 < argument_.path.size(); ++i) {
      CONVOY_ASSIGN_OR_RETURN(group, Enter(argument_.path[i], group));
    }
    CONVOY_RETURN_IF_ERROR(Change(argument_.path.back(), group));
    return path_;
  }

 private:
  // `path_` + `rule` as an error.
  absl::Status Wrong(const std::string& rule) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, rule));
  }
  absl::Status WrongValue(const FieldDescriptor& field, const std::string& value) const {
    return absl::InvalidArgumentError(WrongValueText(field, path_, value));
  }

  absl::StatusOr<const FieldDescriptor*> Find(const SetStep& step, const Message& group) {
    const FieldDescriptor* field = group.GetDescriptor()->FindFieldByName(step.name);
    if (field == nullptr) {
      return absl::InvalidArgumentError(UnknownFieldText(*group.GetDescriptor(), path_, step.name));
    }
    path_ = JoinPath(path_, step.name);
    if (step.key.has_value() && !field->is_repeated()) {
      return Wrong(" is no list, so [" + Shown(*step.key) + "] can't follow it");
    }
    return field;
  }

  // The element of a list that the step names; `path_` becomes the element's.
  absl::StatusOr<int> ElementOf(const SetStep& step, const FieldDescriptor& field,
                                const Message& group) {
    const int size = group.GetReflection()->FieldSize(group, &field);
    int index = -1;
    if (!absl::SimpleAtoi(*step.key, &index) || index < 0 || index >= size) {
      return Wrong(absl::StrCat(" has ", size, " elements, counted from 0, but no [",
                                Shown(*step.key), "]; += appends one"));
    }
    path_ = ElementPath(path_, index);
    return index;
  }

  absl::StatusOr<Message*> Enter(const SetStep& step, Message* group) {
    CONVOY_ASSIGN_OR_RETURN(const FieldDescriptor* field, Find(step, *group));
    if (field->message_type() == nullptr || field->is_map()) {
      return Wrong(" is no group of fields, so nothing can follow it");
    }
    if (!field->is_repeated()) return group->GetReflection()->MutableMessage(group, field);
    if (!step.key.has_value()) return Wrong(" is a list: name the element, as in " + path_ + "[0]");
    CONVOY_ASSIGN_OR_RETURN(const int index, ElementOf(step, *field, *group));
    return group->GetReflection()->MutableRepeatedMessage(group, field, index);
  }

  absl::Status Change(const SetStep& step, Message* group) {
    CONVOY_ASSIGN_OR_RETURN(const FieldDescriptor* field, Find(step, *group));
    if (field->is_map()) return ChangeEntry(step, *field, group);
    if (argument_.append && (!field->is_repeated() || step.key.has_value())) {
      return Wrong(" is no list, so += can't append to it");
    }
    if (step.key.has_value()) return ChangeElement(step, *field, group);
    if (field->is_repeated()) return ChangeList(*field, group);
    return SetValue(*field, argument_.value, group);
  }

  // The schema's only kind of map is that from string to string.
  absl::Status ChangeEntry(const SetStep& step, const FieldDescriptor& field, Message* group) {
    if (!step.key.has_value() || argument_.append) {
      return Wrong(" is set key by key: " + path_ + "[key]=value");
    }
    const google::protobuf::Reflection* reflection = group->GetReflection();
    const FieldDescriptor* key = field.message_type()->map_key();
    Message* entry = nullptr;
    for (int i = 0; i < reflection->FieldSize(*group, &field); ++i) {
      Message* other = reflection->MutableRepeatedMessage(group, &field, i);
      if (other->GetReflection()->GetString(*other, key) == *step.key) entry = other;
    }
    if (entry == nullptr) entry = reflection->AddMessage(group, &field);
    entry->GetReflection()->SetString(entry, key, *step.key);
    return SetValue(*field.message_type()->map_value(), argument_.value, entry);
  }

  absl::Status ChangeElement(const SetStep& step, const FieldDescriptor& field, Message* group) {
    CONVOY_ASSIGN_OR_RETURN(const int index, ElementOf(step, field, *group));
    CONVOY_RETURN_IF_ERROR(SetValue(field, argument_.value, group));
    const google::protobuf::Reflection* reflection = group->GetReflection();
    reflection->SwapElements(group, &field, index, reflection->FieldSize(*group, &field) - 1);
    reflection->RemoveLast(group, &field);
    return absl::OkStatus();
  }

  absl::Status ChangeList(const FieldDescriptor& field, Message* group) {
    const google::protobuf::Reflection* reflection = group->GetReflection();
    if (!argument_.append) reflection->ClearField(group, &field);
    const int size = reflection->FieldSize(*group, &field);
    const std::string value = Trimmed(argument_.value);
    if (field.message_type() != nullptr) {
      if (!value.empty() || argument_.append) {
        CONVOY_RETURN_IF_ERROR(SetValue(field, value, group));
      }
    } else if (!value.empty() || argument_.append) {
      CONVOY_RETURN_IF_ERROR(AppendValues(field, value, group));
    }
    if (argument_.append && reflection->FieldSize(*group, &field) == size + 1) {
      path_ = ElementPath(path_, size);
    }
    return absl::OkStatus();
  }

  // Values between commas; one string in quotes may have some inside.
  absl::Status AppendValues(const FieldDescriptor& field, const std::string& value,
                            Message* group) {
    const bool quoted = !value.empty() && (value.front() == '"' || value.front() == '\'');
    if (IsText(field) && quoted && IsScalar(field, value)) return SetValue(field, value, group);
    for (const absl::string_view element : absl::StrSplit(value, ',')) {
      CONVOY_RETURN_IF_ERROR(SetValue(field, std::string(element), group));
    }
    return absl::OkStatus();
  }

  // Sets a singular field, appends to a repeated one.
  absl::Status SetValue(const FieldDescriptor& field, const std::string& value, Message* group) {
    if (field.message_type() != nullptr) return SetGroup(field, Trimmed(value), group);
    if (IsText(field)) return SetText(field, value, group);
    const std::string scalar = Trimmed(value);
    return ParseScalar(scalar, field, group) ? absl::OkStatus() : WrongValue(field, scalar);
  }

  absl::Status SetText(const FieldDescriptor& field, const std::string& value, Message* group) {
    const bool quoted = !value.empty() && (value.front() == '"' || value.front() == '\'');
    if (quoted)
      return ParseScalar(value, field, group) ? absl::OkStatus() : WrongValue(field, value);
    const google::protobuf::Reflection* reflection = group->GetReflection();
    if (field.is_repeated()) {
      reflection->AddString(group, &field, value);
    } else {
      reflection->SetString(group, &field, value);
    }
    return absl::OkStatus();
  }

  absl::Status SetGroup(const FieldDescriptor& field, const std::string& value, Message* group) {
    if (value.size() < 2 || value.front() != '{' || value.back() != '}') {
      return Wrong(absl::StrCat(" is a group of fields: expected {...}, got ",
                                value.empty() ? "nothing" : Shown(value)));
    }
    const google::protobuf::Reflection* reflection = group->GetReflection();
    Message* message = field.is_repeated() ? reflection->AddMessage(group, &field)
                                           : reflection->MutableMessage(group, &field);
    const TextParse parse = ParseText(value.substr(1, value.size() - 2), path_, message);
    if (parse.mistakes.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrJoin(parse.mistakes, "; ", [](std::string* out, const LineMessage& mistake) {
          absl::StrAppend(out, mistake.message);
        }));
  }

  const SetArgument& argument_;
  std::string path_;
};

}  // namespace

absl::StatusOr<std::string> SetField(std::string_view argument, v1::Job* job) {
  CONVOY_ASSIGN_OR_RETURN(const SetArgument parsed, ParseSetArgument(argument));
  v1::Job changed = *job;
  CONVOY_ASSIGN_OR_RETURN(const std::string path, Setter(parsed).Apply(&changed));
  *job = std::move(changed);
  return path;
}

}  // namespace convoy
