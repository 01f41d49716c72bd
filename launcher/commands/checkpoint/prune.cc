#include "launcher/commands/checkpoint/prune.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/status.h"
#include "launcher/commands/checkpoint/texts.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

uint64_t BytesInFolder(const std::string& path) {
  std::error_code error;
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    const uint64_t size = entry.file_size(error);
    if (!error) bytes += size;
  }
  return bytes;
}

// What is kept must be of use to someone, and the job go on from where it could before.
absl::Status CheckNewestGoodStays(const std::vector<StoredCheckpoint>& checkpoints,
                                  const std::vector<uint64_t>& pruned) {
  absl::Status newest;
  CheckpointVerifier verifier;
  for (auto checkpoint = checkpoints.rbegin(); checkpoint != checkpoints.rend(); ++checkpoint) {
    const bool goes = std::binary_search(pruned.begin(), pruned.end(), checkpoint->step);
    const absl::Status status = verifier.Verify(checkpoint->path);
    if (status.ok() && !goes) return status;
    if (status.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("nothing was removed, since ", FolderName(checkpoint->path),
                       ", the newest good checkpoint, would go: ", std::string(newest.message())));
    }
    if (newest.ok()) newest = status;
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "nothing was removed, since no checkpoint is good: ", std::string(newest.message())));
}

}  // namespace

absl::Status PruneCheckpoints(const std::vector<StoredCheckpoint>& checkpoints,
                              const PruningRule& rule, bool dry_run,
                              absl::FunctionRef<void(const std::string&)> print) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<uint64_t> pruned, StepsToPrune(checkpoints, rule));
  std::vector<StoredCheckpoint> kept, gone;
  for (const StoredCheckpoint& checkpoint : checkpoints) {
    const bool goes = std::binary_search(pruned.begin(), pruned.end(), checkpoint.step);
    (goes ? gone : kept).push_back(checkpoint);
  }
  if (!gone.empty()) CONVOY_RETURN_IF_ERROR(CheckNewestGoodStays(checkpoints, pruned));
  std::reverse(gone.begin(), gone.end());  // a change goes before what it is a change of
  uint64_t total = 0;
  for (const StoredCheckpoint& checkpoint : gone) {
    const uint64_t bytes = BytesInFolder(checkpoint.path);
    if (!dry_run) CONVOY_RETURN_IF_ERROR(RemoveCheckpoint(checkpoint.path));
    total += bytes;
    print(absl::StrCat(dry_run ? "would remove " : "removed ", FolderName(checkpoint.path), "  ",
                       BytesText(static_cast<double>(bytes)), "\n"));
  }
  for (const StoredCheckpoint& checkpoint : kept) {
    print(absl::StrCat("kept ", FolderName(checkpoint.path), "\n"));
  }
  print(absl::StrCat(CountText(gone.size(), "checkpoint"), dry_run ? " would go, " : " removed, ",
                     BytesText(static_cast<double>(total)), "; ", kept.size(), " kept\n"));
  return absl::OkStatus();
}

absl::Status PruneLeftovers(const std::string& checkpoints, bool dry_run,
                            absl::FunctionRef<void(const std::string&)> print) {
  CONVOY_ASSIGN_OR_RETURN(std::vector<std::string> left, ListIncomplete(checkpoints));
  std::erase_if(left,
                [](const auto& path) { return !IsTemporaryCheckpointName(FolderName(path)); });
  if (!dry_run) CONVOY_RETURN_IF_ERROR(RemoveTemporaries(checkpoints).status());
  for (const std::string& path : left) {
    print(absl::StrCat(dry_run ? "would remove " : "removed ", FolderName(path),
                       ", left by a process that was killed\n"));
  }
  return absl::OkStatus();
}

}  // namespace convoy
