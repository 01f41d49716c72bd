// What people are told about fields of the job file's schema.
#ifndef CONVOY_COMMON_JOB_FIELD_TEXT_H_
#define CONVOY_COMMON_JOB_FIELD_TEXT_H_

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace convoy {

// "optimizer" and "l1" -> "optimizer.l1"; an empty path is the job itself.
std::string JoinPath(std::string_view path, std::string_view name);
// "optimizer.override" and 1 -> "optimizer.override[1]".
std::string ElementPath(std::string_view path, int index);
// How messages call the group at `path`: "optimizer", or "the job" if it is empty.
std::string GroupName(std::string_view path);

// `text` as it may stand in a message: short, in one line, without control characters.
std::string Shown(std::string_view text);

// The field of `group` that `name` probably means: the nearest name of `group`, or else the path of
// the field of exactly this name elsewhere in the job. Empty: there is none.
std::string SuggestedField(const google::protobuf::Descriptor& group, std::string_view name);

// `unknown field "learning_rat" in optimizer, did you mean "learning_rate"?`; `path` is that of
// `group`.
std::string UnknownFieldText(const google::protobuf::Descriptor& group, std::string_view path,
                             std::string_view name);

// `cluster.servers must be a whole number from 1 to 64, got two`;
// `unknown value "RELUU" for model.mlp.activation, did you mean RELU? Values: RELU, TANH, GELU`.
std::string WrongValueText(const google::protobuf::FieldDescriptor& field, std::string_view path,
                           std::string_view value);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_FIELD_TEXT_H_
