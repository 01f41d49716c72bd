// Writes the weights that the servers hold as one safetensors file.
#ifndef CONVOY_LAUNCHER_COMMANDS_MODEL_SAVER_H_
#define CONVOY_LAUNCHER_COMMANDS_MODEL_SAVER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Pulls the newest weights of all variables and writes them to `path`, whole tensors by variable
// name; before them the schema of the assignment, if it has one, to schema.json beside `path`. Call
// when no worker pushes any more.
absl::Status SaveModel(uint64_t job_id, const v1::Assignment& assignment, const std::string& path);

// The same with the weights of the checkpoint in `folder`.
absl::Status SaveModelOfCheckpoint(const std::string& folder, const v1::Assignment& assignment,
                                   const std::string& path);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_MODEL_SAVER_H_
