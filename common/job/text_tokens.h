// Text format as a list of tokens, from which text can be made again without the parts that are
// wrong.
#ifndef CONVOY_COMMON_JOB_TEXT_TOKENS_H_
#define CONVOY_COMMON_JOB_TEXT_TOKENS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/io/tokenizer.h"

namespace convoy {

// A message about a line of a text; lines count from 1.
struct LineMessage {
  int line = 0;
  std::string message;
};

// Remembers what protobuf's parsers complain about.
class LineMessages : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override;
  const std::vector<LineMessage>& messages() const { return messages_; }

 private:
  std::vector<LineMessage> messages_;
};

struct TextTokens {
  // Ends with one token of TYPE_END; lines count from 0, as protobuf counts.
  std::vector<google::protobuf::io::Tokenizer::Token> tokens;
  // What is no token at all, such as a string without its closing quote.
  std::vector<LineMessage> errors;
};

TextTokens Tokenize(std::string_view text);

// Text of the tokens i with keep[i], each in the line it came from.
std::string TextOf(const std::vector<google::protobuf::io::Tokenizer::Token>& tokens,
                   const std::vector<bool>& keep);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_TEXT_TOKENS_H_
