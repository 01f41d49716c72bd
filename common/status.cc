#include "common/status.h"

#include <string>

namespace convoy {

absl::Status Annotate(const absl::Status& status, std::string_view prefix) {
  if (status.ok()) return status;
  std::string message(prefix);
  message.append(": ").append(status.message().data(), status.message().size());
  return absl::Status(status.code(), message);
}

}  // namespace convoy
