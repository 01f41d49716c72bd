#include "launcher/commands/checkpoint/argument.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/best_checkpoint.h"
#include "common/checkpoint/manifest.h"
#include "common/status.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr size_t kStepsShown = 8;

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool HasFile(const std::string& folder, const std::string& name) {
  std::error_code error;
  return fs::is_regular_file(folder + "/" + name, error);
}

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// A folder that exists.
absl::StatusOr<CheckpointArgument> Examine(const std::string& path) {
  const fs::path folder(path);
  if (HasFile(path, kManifestName)) {
    const std::optional<uint64_t> step = StepOfCheckpointName(folder.filename().string());
    if (step)
      return CheckpointArgument{folder.parent_path().string(), StoredCheckpoint{*step, path}};
    CONVOY_ASSIGN_OR_RETURN(const CheckpointManifest manifest, ReadManifest(path));
    return CheckpointArgument{"", StoredCheckpoint{manifest.step, path}};
  }
  if (StepOfCheckpointName(folder.filename().string())) return ReadManifest(path).status();
  const std::string inside = absl::StrCat(path, "/", kCheckpointsFolder);
  if (IsFolder(inside)) return CheckpointArgument{inside, std::nullopt};
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> here, ListCheckpoints(path));
  if (!here.empty() || folder.filename() == kCheckpointsFolder) {
    return CheckpointArgument{path, std::nullopt};
  }
  if (IsTemporaryCheckpointName(folder.filename().string())) {
    return absl::NotFoundError(absl::StrCat(
        path, " is incomplete: it is being written or removed, or was left by a killed process"));
  }
  if (HasFile(path, "job.textproto")) {
    return absl::NotFoundError(absl::StrCat("the run in ", path, " has no checkpoints"));
  }
  return absl::NotFoundError(absl::StrCat(
      path, " is neither a run directory nor a folder of checkpoints nor a checkpoint"));
}

std::string StepsText(const std::vector<StoredCheckpoint>& all) {
  if (all.empty()) return "there are none";
  std::vector<uint64_t> steps;
  const size_t shown = std::min(all.size(), kStepsShown);
  for (size_t i = all.size() - shown; i < all.size(); ++i) steps.push_back(all[i].step);
  return absl::StrCat(all.size() > shown ? "the newest are those of steps "
                      : all.size() == 1  ? "there is step "
                                         : "there are steps ",
                      absl::StrJoin(steps, ", "));
}

absl::StatusOr<CheckpointArgument> OfStep(const std::string& path, const std::string& step_text) {
  uint64_t step = 0;
  if (step_text != kBestStep && !absl::SimpleAtoi(step_text, &step)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "@", step_text, "\": got step \"",
                                                   step_text, "\", want a number, e.g. ", path,
                                                   "@1200, or ", path, "@best"));
  }
  CONVOY_ASSIGN_OR_RETURN(CheckpointArgument argument, Examine(path));
  if (argument.one) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a checkpoint itself, want a run directory before @", step_text));
  }
  if (step_text == kBestStep) {
    CONVOY_ASSIGN_OR_RETURN(argument.one, FindBestCheckpoint(argument.checkpoints));
    return argument;
  }
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> all,
                          ListCheckpoints(argument.checkpoints));
  for (const StoredCheckpoint& checkpoint : all) {
    if (checkpoint.step == step) argument.one = checkpoint;
  }
  if (argument.one) return argument;
  const std::string name = CheckpointName(step);
  const bool is_there = IsFolder(absl::StrCat(argument.checkpoints, "/", name));
  return absl::NotFoundError(absl::StrCat(
      is_there
          ? absl::StrCat(name, " is incomplete, it has no ", kManifestName)
          : absl::StrCat("there is no checkpoint of step ", step, " in ", argument.checkpoints),
      "; ", StepsText(all)));
}

}  // namespace

absl::StatusOr<CheckpointArgument> ParseCheckpointArgument(const std::string& argument) {
  const std::string path = WithoutSlash(argument);
  if (IsFolder(path)) return Examine(path);
  const size_t at = path.rfind('@');
  const std::string before = WithoutSlash(path.substr(0, at));
  if (at != std::string::npos && IsFolder(before)) return OfStep(before, path.substr(at + 1));
  return absl::NotFoundError(absl::StrCat("there is no folder ", before));
}

absl::StatusOr<StoredCheckpoint> OneCheckpoint(const std::string& argument) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> all, AllCheckpoints(argument));
  return all.back();
}

absl::StatusOr<std::vector<StoredCheckpoint>> AllCheckpoints(const std::string& argument) {
  CONVOY_ASSIGN_OR_RETURN(const CheckpointArgument parsed, ParseCheckpointArgument(argument));
  if (parsed.one) return std::vector<StoredCheckpoint>{*parsed.one};
  CONVOY_ASSIGN_OR_RETURN(std::vector<StoredCheckpoint> all, ListCheckpoints(parsed.checkpoints));
  if (!all.empty()) return all;
  return absl::NotFoundError(
      absl::StrCat("there is no complete checkpoint in ", parsed.checkpoints));
}

}  // namespace convoy
