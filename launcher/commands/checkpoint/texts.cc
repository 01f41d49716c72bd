#include "launcher/commands/checkpoint/texts.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "launcher/process/text_table.h"

namespace convoy {

std::string FolderName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  return shape.empty() ? "1 value" : absl::StrJoin(shape, " x ");
}

std::string AgeText(const std::string& created, absl::Time now) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, created, &time, nullptr)) return "?";
  const int64_t seconds = absl::ToInt64Seconds(now - time);
  if (seconds < 0) return "in the future";
  if (seconds < 120) return absl::StrCat(seconds, " s");
  if (seconds < 120 * 60) return absl::StrCat(seconds / 60, " min");
  if (seconds < 48 * 3600) return absl::StrCat(seconds / 3600, " h");
  return CountText(static_cast<uint64_t>(seconds / (24 * 3600)), "day");
}

std::string CreatedText(const std::string& created) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, created, &time, nullptr)) return created;
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

uint64_t FileBytes(const CheckpointManifest& manifest) {
  uint64_t bytes = 0;
  for (const CheckpointFile& file : manifest.files) bytes += file.bytes;
  return bytes;
}

std::string AncestorText(const CheckpointAncestor& ancestor) {
  return absl::StrCat(ancestor.how, " of ", ancestor.run, "@", ancestor.step);
}

}  // namespace convoy
