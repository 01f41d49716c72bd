#include "common/net/listen_address.h"

#include <arpa/inet.h>

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

bool IsLoopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool IsPort(const std::string& text) {
  int port = 0;
  return absl::SimpleAtoi(text, &port) && port >= 0 && port <= 65535;
}

}  // namespace

absl::Status CheckListenAddress(std::string_view address, bool insecure_listen) {
  const size_t colon = address.rfind(':');
  std::string host(address.substr(0, colon));
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool stray = !bracketed && host.find_first_of(":[]") != std::string::npos;
  if (colon == std::string_view::npos || host.empty() || stray ||
      !IsPort(std::string(address.substr(colon + 1)))) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen address: got \"", std::string(address),
                     "\", want host:port, e.g. 127.0.0.1:0 or [::1]:4000"));
  }
  if (insecure_listen || IsLoopback(host)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("listen address ", std::string(address),
                   ": connections are not encrypted, so only loopback addresses are allowed; "
                   "--insecure-listen lifts that in a network that you trust"));
}

}  // namespace convoy
