#include "common/job/lines.h"

#include <vector>

#include "common/job/field_text.h"

namespace convoy {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Tree = google::protobuf::TextFormat::ParseInfoTree;

void Collect(const Message& message, const Tree& tree, const std::string& path, FieldLines* lines);

void CollectGroup(const Message& group, const Tree* tree, const std::string& path,
                  FieldLines* lines) {
  if (tree != nullptr) Collect(group, *tree, path, lines);
}

void CollectRepeated(const Message& message, const Tree& tree, const FieldDescriptor& field,
                     const std::string& path, FieldLines* lines) {
  const int size = message.GetReflection()->FieldSize(message, &field);
  const bool one_by_one = tree.GetLocation(&field, size - 1).line >= 0;
  for (int i = 0; i < size; ++i) {
    const std::string element = ElementPath(path, i);
    if (one_by_one) (*lines)[element] = tree.GetLocation(&field, i).line + 1;
    if (field.message_type() == nullptr) continue;
    CollectGroup(message.GetReflection()->GetRepeatedMessage(message, &field, i),
                 tree.GetTreeForNested(&field, i), element, lines);
  }
}

void Collect(const Message& message, const Tree& tree, const std::string& path, FieldLines* lines) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string field_path = JoinPath(path, field->name());
    const auto location = tree.GetLocation(field, field->is_repeated() ? 0 : -1);
    if (location.line >= 0) (*lines)[field_path] = location.line + 1;
    if (field->is_map()) continue;  // its entries are no longer in the order of the text
    if (field->is_repeated()) {
      CollectRepeated(message, tree, *field, field_path, lines);
    } else if (field->message_type() != nullptr) {
      CollectGroup(message.GetReflection()->GetMessage(message, field),
                   tree.GetTreeForNested(field, -1), field_path, lines);
    }
  }
}

}  // namespace

FieldLines LinesOf(const Message& message, const Tree& tree) {
  FieldLines lines;
  Collect(message, tree, "", &lines);
  return lines;
}

}  // namespace convoy
