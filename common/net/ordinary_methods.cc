#include "common/net/ordinary_methods.h"

#include <set>
#include <utility>

#include "common/net/reflection.h"

namespace convoy {
namespace {

constexpr char kHealth[] = "/grpc.health.v1.Health/Check";
// grpc.health.v1.HealthCheckResponse {status: SERVING}.
constexpr char kServing[] = "\x08\x01";

std::string ServiceOf(const std::string& method) { return method.substr(1, method.rfind('/') - 1); }

}  // namespace

void AddStandardMethods(const std::string& stream_method, OrdinaryMethods* methods) {
  methods->emplace(kHealth, [](const Payload&) { return std::string(kServing); });
  std::set<std::string> services{ServiceOf(stream_method)};
  for (const auto& [name, answer] : *methods) services.insert(ServiceOf(name));
  methods->emplace(kReflectionMethod, ReflectionOf(std::move(services)));
}

}  // namespace convoy
