#include "launcher/commands/checkpoint/verify.h"

#include "absl/strings/str_cat.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "launcher/commands/checkpoint/texts.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

std::string VerdictText(const StoredCheckpoint& checkpoint, const absl::Status& status,
                        const std::vector<VerifiedFile>& files) {
  std::vector<TextRow> rows;
  bool named = false;
  uint64_t bytes = 0;
  for (const VerifiedFile& file : files) {
    named = named || !file.damage.empty();
    bytes += file.bytes;
    rows.push_back({"  " + file.name, file.damage.empty() ? "ok" : file.damage});
  }
  if (status.ok()) {
    return absl::StrCat(FolderName(checkpoint.path), "  ok, ", CountText(files.size(), "file"),
                        ", ", BytesText(static_cast<double>(bytes)), "\n");
  }
  std::string text = absl::StrCat(FolderName(checkpoint.path), "  can't be used\n",
                                  AlignColumns(rows, Side::kLeft));
  // Files that are as they were written, but do not fit together.
  if (!named) {
    absl::StrAppend(&text, "    ", std::string(status.message()), "\n");
  }
  return text;
}

}  // namespace

absl::Status VerifyCheckpoints(const std::vector<StoredCheckpoint>& checkpoints,
                               absl::FunctionRef<void(const std::string&)> print) {
  absl::Status last;
  CheckpointVerifier verifier;
  size_t damaged = 0;
  const StoredCheckpoint* usable = nullptr;
  for (auto checkpoint = checkpoints.rbegin(); checkpoint != checkpoints.rend(); ++checkpoint) {
    std::vector<VerifiedFile> files;
    const absl::Status status = verifier.Verify(checkpoint->path, &files);
    print(VerdictText(*checkpoint, status, files));
    if (status.ok() && usable == nullptr) usable = &*checkpoint;
    if (!status.ok()) last = status;
    damaged += status.ok() ? 0 : 1;
  }
  if (damaged == 0 || checkpoints.size() == 1) return last;
  return absl::DataLossError(absl::StrCat(
      damaged, " of ", checkpoints.size(), " checkpoints can't be used; ",
      usable == nullptr ? "none is left" : absl::StrCat("the newest good one is ", usable->path)));
}

}  // namespace convoy
