// A project with a model of one's own, made from the example.
#ifndef CONVOY_LAUNCHER_COMMANDS_NEW_PROJECT_H_
#define CONVOY_LAUNCHER_COMMANDS_NEW_PROJECT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace convoy {

// Writes the files of examples/custom_model into `folder`, which is made, under the name of its
// last part: that of the CMake project, the program and its source. Returns the names of the files.
// InvalidArgument: the name is not letters, digits, '_', '-' beginning with a letter, or CMake has
// a target of that name. FailedPrecondition: the folder exists and is not empty, or is a file.
absl::StatusOr<std::vector<std::string>> WriteNewProject(const std::string& folder);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_NEW_PROJECT_H_
