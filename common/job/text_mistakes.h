// Finds every mistake in a text that TextFormat::Parser refused. The parser stops at the first
// mistake and names the line of the token after it; this walk goes on, names the right lines and
// suggests what was meant.
#ifndef CONVOY_COMMON_JOB_TEXT_MISTAKES_H_
#define CONVOY_COMMON_JOB_TEXT_MISTAKES_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/job/text_tokens.h"
#include "google/protobuf/descriptor.h"

namespace convoy {

struct TextMistakes {
  std::vector<LineMessage> mistakes;
  // Paths of the fields that the mistakes are about, as far as can be guessed. "data.train" also
  // for a field "trian" of data.
  std::vector<std::string> fields;
  // The text without the fields that are wrong, lines unchanged. Empty if the structure is broken
  // (e.g. a missing brace), so that nothing can be said about the rest.
  std::string rest;
  bool broken = false;
};

// `text` are the fields of a message of type `type`, which people know as `path` ("": the job).
TextMistakes FindTextMistakes(std::string_view text, const google::protobuf::Descriptor& type,
                              std::string_view path);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_TEXT_MISTAKES_H_
