#include "common/checkpoint/base_checkpoint.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/json_object.h"

namespace convoy {
namespace {

absl::Status BadBase(const std::string& folder, const std::string& what) {
  return absl::DataLossError(
      absl::StrCat(folder, ": is a delta checkpoint, of no use without its base: ", what));
}

// The folders beside `folder`: as it is written, and where it leads to ("a/b/", "." and links). A
// checkpoint that is a link to another disk may have its base on either side.
std::vector<std::filesystem::path> PlacesBeside(const std::string& folder) {
  std::vector<std::filesystem::path> places;
  std::error_code error;
  for (std::filesystem::path own : {std::filesystem::absolute(folder, error).lexically_normal(),
                                    std::filesystem::weakly_canonical(folder, error)}) {
    if (!own.has_filename()) own = own.parent_path();
    if (std::filesystem::path place = own.parent_path();
        places.empty() || places.front() != place) {
      places.push_back(std::move(place));
    }
  }
  return places;
}

}  // namespace

absl::StatusOr<std::string> BaseFolderOf(const std::string& folder,
                                         const CheckpointManifest& manifest) {
  std::vector<std::string> problems;
  for (const std::filesystem::path& place : PlacesBeside(folder)) {
    const std::string path = (place / CheckpointName(manifest.base->step)).string();
    const absl::StatusOr<CheckpointManifest> base = ReadManifest(path);
    if (base.ok() && base->xxh3 == manifest.base->xxh3) return path;
    problems.push_back(base.ok()
                           ? absl::StrCat(path, ": manifest.json has the checksum ",
                                          Hex64(base->xxh3), ", want ", Hex64(manifest.base->xxh3),
                                          ": it is another checkpoint of the same step")
                           : std::string(base.status().message()));
  }
  return BadBase(folder, absl::StrJoin(problems, "; "));
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
