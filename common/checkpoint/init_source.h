// What Job.init.from means on disk.
#ifndef CONVOY_COMMON_CHECKPOINT_INIT_SOURCE_H_
#define CONVOY_COMMON_CHECKPOINT_INIT_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/checkpoint/weight_archive.h"

namespace convoy {

struct InitSource {
  std::string path;              // a checkpoint's folder, or a safetensors file
  std::optional<uint64_t> step;  // of the checkpoint
  std::string run;               // the run directory; empty: a file or folder was named itself
  // For people: a run directory has no checkpoint, and its final weights are taken. Empty: nothing.
  std::string note;
};

// `from`: "RUN_DIR", "RUN_DIR@STEP", "RUN_DIR@best", a checkpoint's folder or a file. Looks at
// names only. NotFound: there is no such file or folder, no such checkpoint (lists those there
// are), or neither checkpoint nor model.safetensors in a run directory.
absl::StatusOr<InitSource> FindInitSource(const std::string& from);

// Whether it is there and, if it is a checkpoint, as it was written, byte for byte; a file has no
// checksums. Errors as FindInitSource and VerifyCheckpoint.
absl::Status CheckInitSource(const std::string& from);

// `path`: of an InitSource. Errors as CheckpointReader and SafetensorsArchive.
absl::StatusOr<std::unique_ptr<WeightArchive>> OpenArchive(const std::string& path);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_INIT_SOURCE_H_
