// Which program has a job's model class.
#ifndef CONVOY_LAUNCHER_COMMANDS_CUSTOM_MODEL_PROGRAM_H_
#define CONVOY_LAUNCHER_COMMANDS_CUSTOM_MODEL_PROGRAM_H_

#include <span>
#include <string>

#include "absl/status/status.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// FailedPrecondition: the model is a custom one that is not among `models`. `run_dir`, if not
// empty, is that of a training; the error names the program that made it and its command "PROGRAM
// `arguments`".
absl::Status CheckModelIsHere(const v1::Model& model, std::span<const ModelRegistration> models,
                              const std::string& run_dir, const std::string& arguments);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CUSTOM_MODEL_PROGRAM_H_
