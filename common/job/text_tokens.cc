#include "common/job/text_tokens.h"

#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace convoy {

using google::protobuf::io::Tokenizer;

void LineMessages::AddError(int line, google::protobuf::io::ColumnNumber /*column*/,
                            const std::string& message) {
  messages_.push_back({line + 1, message});
}

TextTokens Tokenize(std::string_view text) {
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  LineMessages errors;
  Tokenizer tokenizer(&input, &errors);
  // As TextFormat::Parser sets it.
  tokenizer.set_allow_f_after_float(true);
  tokenizer.set_comment_style(Tokenizer::SH_COMMENT_STYLE);
  TextTokens result;
  while (tokenizer.Next()) result.tokens.push_back(tokenizer.current());
  result.tokens.push_back(tokenizer.current());
  result.errors = errors.messages();
  return result;
}

std::string TextOf(const std::vector<Tokenizer::Token>& tokens, const std::vector<bool>& keep) {
  std::string text;
  int line = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!keep[i]) continue;
    for (; line < tokens[i].line; ++line) text += '\n';
    text.append(" ").append(tokens[i].text);
  }
  return text;
}

}  // namespace convoy
