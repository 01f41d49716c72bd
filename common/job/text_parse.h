// Text format into a message, with all mistakes at once.
#ifndef CONVOY_COMMON_JOB_TEXT_PARSE_H_
#define CONVOY_COMMON_JOB_TEXT_PARSE_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/job/lines.h"
#include "common/job/text_tokens.h"
#include "google/protobuf/message.h"

namespace convoy {

struct TextParse {
  // Empty: all is well.
  std::vector<LineMessage> mistakes;
  // True: the message holds all but the fields that have mistakes. False: it is of no use.
  bool usable = false;
  // Paths of the fields with mistakes.
  std::vector<std::string> mistaken_fields;
  // Where the fields of the message stand.
  FieldLines lines;
};

// Replaces the contents of `message`. `path` is how people know the message ("": the job).
TextParse ParseText(std::string_view text, std::string_view path,
                    google::protobuf::Message* message);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_TEXT_PARSE_H_
