// The lines of a text in which the fields of a message stand.
#ifndef CONVOY_COMMON_JOB_LINES_H_
#define CONVOY_COMMON_JOB_LINES_H_

#include <map>
#include <string>

#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace convoy {

// Path of a field ("optimizer.override[1].l2") -> its line, from 1. Elements written in one list
// [a, b] have no entry of their own, the list has.
using FieldLines = std::map<std::string, int>;

// `tree` was filled by the parser that made `message`.
FieldLines LinesOf(const google::protobuf::Message& message,
                   const google::protobuf::TextFormat::ParseInfoTree& tree);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_LINES_H_
