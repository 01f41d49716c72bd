#include "common/checkpoint/init_source.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/best_checkpoint.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/manifest.h"
#include "common/checkpoint/safetensors_archive.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/name_patterns.h"
#include "common/status.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr char kFinalWeights[] = "model.safetensors";

bool IsThere(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

absl::StatusOr<InitSource> NewestOf(const std::string& run,
                                    const std::vector<StoredCheckpoint>& checkpoints) {
  if (!checkpoints.empty()) {
    return InitSource{checkpoints.back().path, checkpoints.back().step, run, ""};
  }
  const std::string file = (fs::path(run) / kFinalWeights).string();
  if (IsThere(file)) {
    return InitSource{file, std::nullopt, run,
                      absl::StrCat(run,
                                   " has no checkpoint: its final weights are taken, without "
                                   "optimizer slots")};
  }
  return absl::NotFoundError(absl::StrCat(run, ": has neither checkpoints nor a ", kFinalWeights));
}

absl::StatusOr<InitSource> CheckpointAt(const std::string& run, uint64_t step) {
  const std::string folder = (fs::path(run) / kCheckpointsFolder).string();
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> checkpoints, ListCheckpoints(folder));
  std::vector<std::string> steps;
  for (const StoredCheckpoint& checkpoint : checkpoints) {
    if (checkpoint.step == step) return InitSource{checkpoint.path, step, run, ""};
    steps.push_back(absl::StrCat(checkpoint.step));
  }
  return absl::NotFoundError(absl::StrCat(run, ": has no checkpoint of step ", step,
                                          "; there are those of steps: ", ListOfNames(steps)));
}

// A checkpoint's own folder, of a run or copied from one.
absl::StatusOr<InitSource> CheckpointFolder(const std::string& folder) {
  InitSource source{folder, std::nullopt, "", ""};
  const fs::path path = fs::path(folder) / "";  // the name without a "/" behind it
  source.step = StepOfCheckpointName(path.parent_path().filename().string());
  return source;
}

}  // namespace

absl::StatusOr<InitSource> FindInitSource(const std::string& from) {
  std::error_code ignored;
  if (!IsThere(from)) {
    const size_t at = from.rfind('@');
    uint64_t step = 0;
    if (at != std::string::npos && from.substr(at + 1) == kBestStep &&
        IsThere(from.substr(0, at))) {
      const std::string run = from.substr(0, at);
      CONVOY_ASSIGN_OR_RETURN(const StoredCheckpoint best,
                              FindBestCheckpoint((fs::path(run) / kCheckpointsFolder).string()));
      return InitSource{best.path, best.step, run, ""};
    }
    if (at != std::string::npos && absl::SimpleAtoi(from.substr(at + 1), &step) &&
        IsThere(from.substr(0, at))) {
      return CheckpointAt(from.substr(0, at), step);
    }
    return absl::NotFoundError(absl::StrCat(from,
                                            ": there is no such run directory, checkpoint "
                                            "(RUN_DIR@STEP, RUN_DIR@best) or safetensors file"));
  }
  if (!fs::is_directory(from, ignored)) return InitSource{from, std::nullopt, "", ""};
  if (IsThere(fs::path(from) / kManifestName)) return CheckpointFolder(from);
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> checkpoints,
                          ListCheckpoints((fs::path(from) / kCheckpointsFolder).string()));
  return NewestOf(from, checkpoints);
}

absl::Status CheckInitSource(const std::string& from) {
  CONVOY_ASSIGN_OR_RETURN(const InitSource source, FindInitSource(from));
  std::error_code ignored;
  return fs::is_directory(source.path, ignored) ? VerifyCheckpoint(source.path) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<WeightArchive>> OpenArchive(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return SafetensorsArchive::Open(path);
  return CheckpointReader::Open(path);
}

}  // namespace convoy
