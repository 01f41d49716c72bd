#include "common/job/text_parse.h"

#include <utility>

#include "common/job/text_mistakes.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"

namespace convoy {
namespace {

using google::protobuf::Message;
using google::protobuf::TextFormat;

// The parser's own errors; empty if it accepted the text.
std::vector<LineMessage> ParseStrictly(std::string_view text, Message* message, FieldLines* lines) {
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  LineMessages errors;
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(&tree);
  const bool parsed = parser.Parse(&input, message);
  if (parsed) *lines = LinesOf(*message, tree);
  if (!parsed && errors.messages().empty()) return {{1, "not in protobuf text format"}};
  return errors.messages();
}

}  // namespace

TextParse ParseText(std::string_view text, std::string_view path, Message* message) {
  TextParse result;
  result.mistakes = ParseStrictly(text, message, &result.lines);
  result.usable = result.mistakes.empty();
  if (result.usable) return result;
  TextMistakes found = FindTextMistakes(text, *message->GetDescriptor(), path);
  if (found.mistakes.empty()) return result;
  result.mistakes = std::move(found.mistakes);
  result.mistaken_fields = std::move(found.fields);
  result.usable = !found.broken && ParseStrictly(found.rest, message, &result.lines).empty();
  return result;
}

}  // namespace convoy
