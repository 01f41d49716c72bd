// The service grpc.reflection.v1alpha, with which tools such as grpcurl ask a server for its
// services and messages. gRPC's own one is a plugin of every server of the process that links it,
// and knows no methods that are answered without generated code: both servers use this one instead.
#ifndef CONVOY_COMMON_NET_REFLECTION_H_
#define CONVOY_COMMON_NET_REFLECTION_H_

#include <set>
#include <string>

#include "common/net/ordinary_methods.h"

namespace convoy {

inline constexpr char kReflectionMethod[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

// Lists `services` and the reflection itself; files and symbols are those of all .proto files in
// this program.
MethodAnswer ReflectionOf(std::set<std::string> services);

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_REFLECTION_H_
