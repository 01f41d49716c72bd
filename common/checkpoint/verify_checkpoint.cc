#include "common/checkpoint/verify_checkpoint.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/base_checkpoint.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/json_object.h"
#include "common/checkpoint/manifest.h"
#include "common/files/file_hash.h"
#include "common/status.h"

namespace convoy {
namespace {

// What is wrong with the file; empty: nothing.
std::string DamageOf(const std::string& path, const CheckpointFile& want) {
  const absl::StatusOr<FileHash> got = HashFile(path);
  if (absl::IsNotFound(got.status())) return "is missing";
  if (!got.ok()) return std::string(got.status().message());
  if (got->bytes != want.bytes) {
    return absl::StrCat("has ", got->bytes, " bytes, want ", want.bytes, ": it ",
                        got->bytes < want.bytes ? "was cut" : "has grown");
  }
  if (got->xxh3 == want.xxh3) return "";
  return absl::StrCat("has the checksum ", Hex64(got->xxh3), ", want ", Hex64(want.xxh3),
                      ": its bytes were changed");
}

// One that was moved or copied to the name of another step would be taken for that one.
absl::Status CheckName(const std::string& folder, const CheckpointManifest& manifest) {
  std::filesystem::path own = std::filesystem::path(folder).lexically_normal();
  if (!own.has_filename()) own = own.parent_path();
  const std::optional<uint64_t> step = StepOfCheckpointName(own.filename().string());
  if (!step || *step == manifest.step) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(folder, " has another checkpoint's name: ", kManifestName,
                                          " is of step ", manifest.step, "; call it ",
                                          CheckpointName(manifest.step)));
}

absl::Status VerifyFiles(const std::string& folder, const CheckpointManifest& manifest,
                         std::vector<VerifiedFile>* files) {
  std::vector<std::string> damaged;
  for (const CheckpointFile& file : manifest.files) {
    std::string damage = DamageOf(absl::StrCat(folder, "/", file.name), file);
    if (!damage.empty()) damaged.push_back(absl::StrCat(file.name, " ", damage));
    files->push_back({file.name, file.bytes, std::move(damage)});
  }
  if (damaged.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(folder, " is damaged: ", absl::StrJoin(damaged, "; ")));
}

}  // namespace

absl::Status VerifyCheckpoint(const std::string& folder, std::vector<VerifiedFile>* files) {
  return CheckpointVerifier().Verify(folder, files);
}

absl::Status CheckpointVerifier::Verify(const std::string& folder,
                                        std::vector<VerifiedFile>* files) {
  // What is wrong may depend on the name, so that a link is another one than what it leads to.
  std::error_code ignored;
  std::filesystem::path own = std::filesystem::absolute(folder, ignored).lexically_normal();
  if (!own.has_filename()) own = own.parent_path();
  const std::filesystem::path parent =
      std::filesystem::weakly_canonical(own.parent_path(), ignored);
  const std::string key = (parent / own.filename()).string();
  auto known = known_.find(key);
  if (known == known_.end()) {
    Verdict verdict;
    verdict.status = VerifyAll(folder, &verdict.files);
    known = known_.emplace(key, std::move(verdict)).first;
  }
  if (files != nullptr) *files = known->second.files;
  return known->second.status;
}

absl::Status CheckpointVerifier::VerifyAll(const std::string& folder,
                                           std::vector<VerifiedFile>* files) {
  const absl::StatusOr<CheckpointManifest> manifest = ReadManifest(folder);
  if (absl::IsNotFound(manifest.status())) return manifest.status();
  std::error_code ignored;  // the file was just read
  const uint64_t bytes =
      std::filesystem::file_size(absl::StrCat(folder, "/", kManifestName), ignored);
  files->push_back({kManifestName, bytes, std::string(manifest.status().message())});
  CONVOY_RETURN_IF_ERROR(manifest.status());
  CONVOY_RETURN_IF_ERROR(VerifyFiles(folder, *manifest, files));
  CONVOY_RETURN_IF_ERROR(CheckName(folder, *manifest));
  if (manifest->base) {
    CONVOY_ASSIGN_OR_RETURN(const std::string base, BaseFolderOf(folder, *manifest));
    if (const absl::Status status = Verify(base, nullptr); !status.ok()) {
      return Annotate(status, absl::StrCat(folder, " is a change of another checkpoint"));
    }
  }
  return CheckpointReader::Open(folder).status();
}

absl::StatusOr<UsableCheckpoint> FindNewestUsable(const std::string& checkpoints) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> all, ListCheckpoints(checkpoints));
  UsableCheckpoint usable;
  CheckpointVerifier verifier;
  for (auto checkpoint = all.rbegin(); checkpoint != all.rend(); ++checkpoint) {
    const absl::Status status = verifier.Verify(checkpoint->path);
    if (status.ok()) {
      usable.checkpoint = *checkpoint;
      return usable;
    }
    if (absl::IsUnimplemented(status)) return status;
    usable.damaged.push_back(std::string(status.message()));
  }
  if (all.empty())
    return absl::NotFoundError(absl::StrCat("there is no checkpoint in ", checkpoints));
  return absl::DataLossError(absl::StrCat("all checkpoints in ", checkpoints, " are damaged:\n",
                                          absl::StrJoin(usable.damaged, "\n")));
}

}  // namespace convoy
