#include "common/checkpoint/checkpoint_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/checkpoint/manifest.h"
#include "common/files/atomic_file.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step-";
constexpr std::string_view kTemporaryPrefix = ".step-";

absl::Status FolderError(const std::error_code& error, std::string_view what,
                         const std::string& path) {
  errno = error.value();
  return ErrnoError(what, path);
}

absl::StatusOr<std::vector<std::string>> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return FolderError(error, "cannot list folder", folder);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// One that can't be looked at is there: whoever reads it says why it can't be read.
bool HasManifest(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(absl::StrCat(path, "/", kManifestName), error);
  return fs::is_regular_file(status) || status.type() == fs::file_type::none;
}

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return FolderError(error, "cannot remove", path);
  return absl::OkStatus();
}

}  // namespace

std::string CheckpointName(uint64_t step) { return absl::StrFormat("step-%08d", step); }

std::string TemporaryCheckpointName(uint64_t step, uint64_t generation) {
  return absl::StrCat(".", CheckpointName(step), ".g", generation);
}

std::optional<uint64_t> StepOfCheckpointName(std::string_view name) {
  uint64_t step = 0;
  if (!name.starts_with(kStepPrefix)) return std::nullopt;
  const std::string digits(name.substr(kStepPrefix.size()));
  if (!absl::SimpleAtoi(digits, &step) || CheckpointName(step) != name) return std::nullopt;
  return step;
}

bool IsTemporaryCheckpointName(std::string_view name) {
  if (!name.starts_with(kTemporaryPrefix)) return false;
  const size_t dot = name.find('.', kTemporaryPrefix.size());
  return dot != std::string_view::npos && StepOfCheckpointName(name.substr(1, dot - 1)).has_value();
}

absl::StatusOr<std::vector<StoredCheckpoint>> ListCheckpoints(const std::string& checkpoints) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(checkpoints));
  std::vector<StoredCheckpoint> found;
  for (const std::string& name : names) {
    const std::optional<uint64_t> step = StepOfCheckpointName(name);
    const std::string path = absl::StrCat(checkpoints, "/", name);
    if (step && HasManifest(path)) found.push_back({*step, path});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

absl::StatusOr<std::vector<std::string>> ListIncomplete(const std::string& checkpoints) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(checkpoints));
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(checkpoints, "/", name);
    const bool unfinished = StepOfCheckpointName(name) && !HasManifest(path);
    if (unfinished || IsTemporaryCheckpointName(name)) found.push_back(path);
  }
  return found;
}

absl::StatusOr<std::vector<std::string>> RemoveTemporaries(const std::string& checkpoints) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(checkpoints));
  std::vector<std::string> removed;
  for (const std::string& name : names) {
    if (!IsTemporaryCheckpointName(name)) continue;
    removed.push_back(absl::StrCat(checkpoints, "/", name));
    CONVOY_RETURN_IF_ERROR(RemoveTree(removed.back()));
  }
  return removed;
}

absl::Status RemoveCheckpoint(const std::string& path) {
  fs::path folder(path);
  if (!folder.has_filename()) folder = folder.parent_path();  // "a/b/" -> "a/b"
  const std::string temporary =
      (folder.parent_path() / absl::StrCat(".", folder.filename().string(), ".removed")).string();
  CONVOY_RETURN_IF_ERROR(RemoveTree(temporary));  // left by one that was killed here
  if (::rename(folder.c_str(), temporary.c_str()) != 0) return ErrnoError("cannot remove", path);
  CONVOY_RETURN_IF_ERROR(SyncFolderOf(folder.string()));
  return RemoveTree(temporary);
}

}  // namespace convoy
