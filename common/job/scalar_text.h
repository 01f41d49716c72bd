// Single values in text format.
#ifndef CONVOY_COMMON_JOB_SCALAR_TEXT_H_
#define CONVOY_COMMON_JOB_SCALAR_TEXT_H_

#include <string>

#include "google/protobuf/message.h"

namespace convoy {

// Sets the scalar `field` of `message`, or appends to it if it is repeated, from one value in text
// format: 0.1, true, RELU, "text". False if it is no value of the field's type.
bool ParseScalar(const std::string& value, const google::protobuf::FieldDescriptor& field,
                 google::protobuf::Message* message);

// Whether ParseScalar would accept it.
bool IsScalar(const google::protobuf::FieldDescriptor& field, const std::string& value);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_SCALAR_TEXT_H_
