#include "launcher/coordinator/resume_point.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<ResumePoint> OpenResumePoint(const std::string& folder, const std::string& run) {
  ResumePoint point;
  point.folder = std::filesystem::absolute(folder).lexically_normal().string();
  point.run = std::filesystem::absolute(run).lexically_normal().string();
  const std::string path = absl::StrCat(point.folder, "/", kManifestName);
  CONVOY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxManifestBytes));
  CONVOY_ASSIGN_OR_RETURN(point.manifest, ParseManifest(text, path));
  return point;
}

}  // namespace convoy
