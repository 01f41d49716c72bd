#include "common/job/validate.h"

#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"
#include "common/job/range.h"
#include "common/job/validate_sections.h"
#include "common/number_text.h"

namespace convoy {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct Number {
  double value;
  std::string text;
};

template <typename T>
Number Whole(T value) {
  return {static_cast<double>(value), absl::StrCat(value)};
}

Number Real(double value) { return {value, NumberText(value)}; }

// Element `i` of a repeated field, or the value of a singular one; nothing if it is no number.
std::optional<Number> NumberOf(const Message& m, const FieldDescriptor* field, int i) {
  const Reflection* r = m.GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      return Whole(repeated ? r->GetRepeatedUInt32(m, field, i) : r->GetUInt32(m, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return Whole(repeated ? r->GetRepeatedUInt64(m, field, i) : r->GetUInt64(m, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Real(repeated ? r->GetRepeatedDouble(m, field, i) : r->GetDouble(m, field));
    default:
      return std::nullopt;
  }
}

void CheckNumber(const Number& number, const FieldDescriptor& field, const std::string& path,
                 std::vector<Violation>* violations) {
  const ValueRange* range = FindRange(field);
  if (range == nullptr ? std::isfinite(number.value) : range->Contains(number.value)) return;
  violations->push_back(
      {path, absl::StrCat(path, " must be ", range == nullptr ? "finite" : range->ToString(),
                          ", got ", number.text)});
}

void CheckRanges(const Message& message, const std::string& path,
                 std::vector<Violation>* violations) {
  const Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_map()) continue;
    const std::string field_path = JoinPath(path, field->name());
    const bool repeated = field->is_repeated();
    const int size = repeated ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      const std::string element = repeated ? ElementPath(field_path, i) : field_path;
      if (field->message_type() != nullptr) {
        CheckRanges(repeated ? reflection->GetRepeatedMessage(message, field, i)
                             : reflection->GetMessage(message, field),
                    element, violations);
      } else if (const std::optional<Number> number = NumberOf(message, field, i)) {
        CheckNumber(*number, *field, element, violations);
      }
    }
  }
}

}  // namespace

std::vector<Violation> Validate(const v1::Job& job) {
  std::vector<Violation> violations;
  CheckRanges(job, "", &violations);
  if (job.has_name() && job.name().empty()) {
    violations.push_back({"name", "name must not be empty"});
  }
  ValidateData(job, &violations);
  ValidateModel(job, &violations);
  ValidateInit(job, &violations);
  ValidateOptimizer(job, &violations);
  ValidateTraining(job, &violations);
  ValidateTables(job, &violations);
  ValidateCheckpoint(job, &violations);
  ValidateCluster(job, &violations);
  ValidateMetrics(job, &violations);
  ValidateRehearsal(job, &violations);
  return violations;
}

}  // namespace convoy
