// proto/job.proto with its comments, inside the program.
#ifndef CONVOY_PROTO_JOB_SCHEMA_H_
#define CONVOY_PROTO_JOB_SCHEMA_H_

#include <string_view>

namespace convoy {

// A serialized google.protobuf.FileDescriptorSet with source info, made when Convoy is built.
std::string_view JobSchemaBytes();

}  // namespace convoy

#endif  // CONVOY_PROTO_JOB_SCHEMA_H_
