#include "common/checkpoint/base_checkpoint.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/json_object.h"

namespace convoy {
namespace {

absl::Status BadBase(const std::string& folder, const std::string& what) {
  return absl::DataLossError(
      absl::StrCat(folder, ": is a delta checkpoint, of no use without its base: ", what));
}

}  // namespace

absl::StatusOr<std::string> BaseFolderOf(const std::string& folder,
                                         const CheckpointManifest& manifest) {
  // "a/b/", "." and links lead to "a/b", so that the parent is "a".
  std::error_code error;
  std::filesystem::path own = std::filesystem::weakly_canonical(folder, error);
  if (error) own = std::filesystem::path(folder).lexically_normal();
  if (!own.has_filename()) own = own.parent_path();
  const std::string path = (own.parent_path() / CheckpointName(manifest.base->step)).string();
  const absl::StatusOr<CheckpointManifest> base = ReadManifest(path);
  if (!base.ok()) return BadBase(folder, std::string(base.status().message()));
  if (base->xxh3 == manifest.base->xxh3) return path;
  return BadBase(folder, absl::StrCat(path, ": manifest.json has the checksum ", Hex64(base->xxh3),
                                      ", want ", Hex64(manifest.base->xxh3),
                                      ": it is another checkpoint of the same step"));
}

CheckpointBases BasesOf(std::span<const StoredCheckpoint> checkpoints) {
  CheckpointBases bases;
  for (const StoredCheckpoint& checkpoint : checkpoints) {
    const absl::StatusOr<CheckpointManifest> manifest = ReadManifest(checkpoint.path);
    if (manifest.ok()) {
      if (manifest->base) bases.known.emplace(checkpoint.step, manifest->base->step);
    } else if (!absl::IsDataLoss(manifest.status()) && !absl::IsNotFound(manifest.status())) {
      bases.unknown.emplace(checkpoint.step, manifest.status());
    }
  }
  return bases;
}

}  // namespace convoy
