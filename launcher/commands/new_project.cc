#include "launcher/commands/new_project.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/files/atomic_file.h"
#include "common/status.h"
#include "launcher/commands/project_template.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// Targets that every CMake project has.
constexpr std::array<std::string_view, 8> kTaken = {"all",  "clean",   "edit_cache",    "help",
                                                    "test", "install", "rebuild_cache", "package"};

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

absl::Status CheckName(const std::string& name) {
  if (name.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(name[0])) ||
      !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot call a project \"", name,
                     "\": want letters, digits, '_' and '-', beginning with a letter"));
  }
  if (std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot call a project \"", name, "\": CMake has a target of that name"));
  }
  return absl::OkStatus();
}

absl::Status MakeEmptyFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
    return absl::FailedPreconditionError(absl::StrCat(folder.string(), " is a file"));
  }
  fs::create_directories(folder, error);
  if (!error && !fs::is_empty(folder, error) && !error) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder.string(), " is not empty: a project is written into a new folder"));
  }
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot make folder ", folder.string(), ": ", error.message()));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> WriteNewProject(const std::string& folder) {
  // "a/b/" has an empty last part.
  fs::path path = fs::path(folder).lexically_normal();
  if (path.filename().empty()) path = path.parent_path();
  const std::string name = path.filename().string();
  CONVOY_RETURN_IF_ERROR(CheckName(name));
  CONVOY_RETURN_IF_ERROR(MakeEmptyFolder(path));
  const auto named = [&](std::string_view text) {
    return absl::StrReplaceAll(
        absl::string_view(text.data(), text.size()),
        {{absl::string_view(kTemplateName.data(), kTemplateName.size()), name}});
  };
  std::vector<std::string> files;
  for (const TemplateFile& file : ProjectTemplate()) {
    files.push_back(named(file.name));
    CONVOY_RETURN_IF_ERROR(WriteFileAtomically((path / files.back()).string(), named(file.text)));
  }
  return files;
}

}  // namespace convoy
