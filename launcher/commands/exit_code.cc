#include "launcher/commands/exit_code.h"

#include <cstdio>
#include <string>

namespace convoy {

int Fail(const absl::Status& status, int code) {
  if (status.ok()) return kExitDone;
  const std::string message(status.message());
  // Several errors, one a line, say themselves where they stand.
  const bool list = message.find('\n') != std::string::npos && code == kExitBadUsage;
  std::fprintf(stderr, "%s%s\n", list ? "" : "convoy: ", message.c_str());
  return code;
}

}  // namespace convoy
