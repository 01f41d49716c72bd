#include "launcher/commands/checkpoint/list.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/checkpoint/base_checkpoint.h"
#include "common/checkpoint/best_checkpoint.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/manifest.h"
#include "common/status.h"
#include "launcher/commands/checkpoint/argument.h"
#include "launcher/commands/checkpoint/texts.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

// `deltas`: there is a column for what delta checkpoints are changes of. `best`: of the run, if it
// has one.
TextRow ListRow(const CheckpointManifest& manifest, bool deltas,
                const absl::StatusOr<CheckpointBest>& best, absl::Time now) {
  TextRow row = {absl::StrCat(manifest.step),
                 absl::StrCat(manifest.examples),
                 CreatedText(manifest.created),
                 AgeText(manifest.created, now),
                 BytesText(static_cast<double>(FileBytes(manifest))),
                 manifest.mode,
                 absl::StrCat(manifest.files.size()),
                 manifest.lineage.empty() ? "new" : AncestorText(manifest.lineage.back())};
  if (deltas) row.push_back(manifest.base ? absl::StrCat("since ", manifest.base->step) : "all");
  if (best.ok()) {
    row.push_back(best->step == manifest.step
                      ? absl::StrFormat("best: %s %.6g", best->metric, best->value)
                      : "");
  }
  return row;
}

}  // namespace

absl::StatusOr<std::string> ListText(const std::string& argument, absl::Time now) {
  CONVOY_ASSIGN_OR_RETURN(const CheckpointArgument parsed, ParseCheckpointArgument(argument));
  std::vector<StoredCheckpoint> complete;
  std::vector<std::string> incomplete;
  if (parsed.one) {
    complete = {*parsed.one};
  } else {
    CONVOY_ASSIGN_OR_RETURN(complete, ListCheckpoints(parsed.checkpoints));
    CONVOY_ASSIGN_OR_RETURN(incomplete, ListIncomplete(parsed.checkpoints));
  }
  if (complete.empty() && incomplete.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no checkpoint in ", parsed.checkpoints));
  }
  std::vector<TextRow> rows = {
      {"step", "examples", "created", "age", "size", "mode", "servers", "began as"}};
  const bool deltas = !BasesOf(complete).known.empty();
  if (deltas) rows[0].push_back("rows of tables");
  const absl::StatusOr<CheckpointBest> best = ReadBest(parsed.checkpoints);
  if (best.ok()) rows[0].push_back("");
  std::string damaged;
  for (const StoredCheckpoint& checkpoint : complete) {
    const absl::StatusOr<CheckpointManifest> manifest = ReadManifest(checkpoint.path);
    if (manifest.ok()) {
      rows.push_back(ListRow(*manifest, deltas, best, now));
    } else {
      absl::StrAppend(
          &damaged, "  ", FolderName(checkpoint.path),
          absl::IsUnimplemented(manifest.status()) ? "  can't be read: " : "  damaged: ",
          std::string(manifest.status().message()), "\n");
    }
  }
  std::string text = rows.size() > 1 ? AlignColumns(rows, Side::kRight) : "";
  absl::StrAppend(&text, damaged);
  for (const std::string& path : incomplete) {
    absl::StrAppend(&text, "  ", FolderName(path), "  incomplete: ",
                    IsTemporaryCheckpointName(FolderName(path))
                        ? "being written or removed now, or left by a process that was killed "
                          "(then --resume and prune remove it)"
                        : "it has no manifest.json, and nothing uses it",
                    "\n");
  }
  return text;
}

}  // namespace convoy
