// `convoy checkpoint export`: the weights of a checkpoint as a model file (docs/model_file.md).
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_EXPORT_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_EXPORT_H_

#include <string>

#include "absl/status/status.h"
#include "common/checkpoint/checkpoint_reader.h"

namespace convoy {

// Writes whole tensors by variable name, and TABLE/ids and TABLE/rows, to `path`: the bytes that
// the training would have saved, but that rows of zeros, which read as if they were not there, are
// kept. Beside it, what `convoy evaluate` and `convoy predict` need: schema.json if the data were a
// table, and job.textproto if there is none.
//
// AlreadyExists: there is such a file. FailedPrecondition: there is another schema beside it, or no
// folder for it can be made.
absl::Status ExportCheckpoint(const CheckpointReader& checkpoint, const std::string& path);

// The model file alone, whatever is there before.
absl::Status WriteWeights(const CheckpointReader& checkpoint, const std::string& path);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_EXPORT_H_
