// Whether a server of pages could listen somewhere. IPv4: the HTTP library of the distribution is
// built without IPv6.
#ifndef CONVOY_COMMON_MONITORING_LISTEN_CHECK_H_
#define CONVOY_COMMON_MONITORING_LISTEN_CHECK_H_

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace convoy {

// nullopt: `address` is no IPv4 address.
std::optional<sockaddr_in> Ipv4Address(const std::string& address, uint32_t port);

// Binds, and lets go at once. Unavailable: something else listens there; else why not, as the
// system says it (the address is not of this machine, the port is privileged, ...).
absl::Status CheckCanListen(const std::string& address, uint32_t port);

}  // namespace convoy

#endif  // CONVOY_COMMON_MONITORING_LISTEN_CHECK_H_
