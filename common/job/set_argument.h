// The grammar of --set arguments: PATH=VALUE or PATH+=VALUE, PATH = NAME ["[" KEY "]"] { "." ... }.
#ifndef CONVOY_COMMON_JOB_SET_ARGUMENT_H_
#define CONVOY_COMMON_JOB_SET_ARGUMENT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace convoy {

struct SetStep {
  std::string name;
  std::optional<std::string> key;  // what stands in brackets: an index or the key of a map
};

struct SetArgument {
  std::vector<SetStep> path;  // at least one step
  bool append = false;        // +=
  std::string value;
};

// InvalidArgument: not of this form.
absl::StatusOr<SetArgument> ParseSetArgument(std::string_view text);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_SET_ARGUMENT_H_
