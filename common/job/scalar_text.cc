#include "common/job/scalar_text.h"

#include <memory>

#include "common/job/text_tokens.h"
#include "google/protobuf/text_format.h"

namespace convoy {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

bool ParseScalar(const std::string& value, const FieldDescriptor& field, Message* message) {
  LineMessages ignored;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&ignored);
  return parser.ParseFieldValueFromString(value, &field, message) && ignored.messages().empty();
}

bool IsScalar(const FieldDescriptor& field, const std::string& value) {
  const Message* prototype =
      MessageFactory::generated_factory()->GetPrototype(field.containing_type());
  const std::unique_ptr<Message> scratch(prototype->New());
  return ParseScalar(value, field, scratch.get());
}

}  // namespace convoy
