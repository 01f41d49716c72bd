// Where a process may listen as long as there is no TLS.
#ifndef CONVOY_COMMON_NET_LISTEN_ADDRESS_H_
#define CONVOY_COMMON_NET_LISTEN_ADDRESS_H_

#include <string_view>

#include "absl/status/status.h"

namespace convoy {

// `address`: host:port, [ipv6]:port.
// InvalidArgument: not of that form, or neither a loopback address nor `insecure_listen`.
absl::Status CheckListenAddress(std::string_view address, bool insecure_listen);

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_LISTEN_ADDRESS_H_
