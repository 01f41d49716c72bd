#ifndef CONVOY_COMMON_NET_HOST_NAME_H_
#define CONVOY_COMMON_NET_HOST_NAME_H_

#include <unistd.h>

#include <string>

namespace convoy {

// The name of this host, for reports; "localhost" if it has none.
inline std::string HostName() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_HOST_NAME_H_
