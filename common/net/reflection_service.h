// Reflection for a gRPC server with generated services: RegisterCallbackGenericService, which gets
// the calls of methods that no service has.
#ifndef CONVOY_COMMON_NET_REFLECTION_SERVICE_H_
#define CONVOY_COMMON_NET_REFLECTION_SERVICE_H_

#include <grpcpp/generic/async_generic_service.h>

#include <set>
#include <string>

#include "common/net/reflection.h"

namespace convoy {

// Outlives the server. Methods other than the reflection are UNIMPLEMENTED.
class ReflectionService final : public grpc::CallbackGenericService {
 public:
  explicit ReflectionService(std::set<std::string> services);
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  const MethodAnswer answer_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_REFLECTION_SERVICE_H_
