#include "worker/data/file_format.h"

#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/byte_source.h"

namespace convoy {
namespace {
constexpr std::string_view kImages = "images-idx3";
constexpr std::string_view kLabels = "labels-idx1";
constexpr std::string_view kGzip = ".gz";
}  // namespace

bool FileExists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

absl::StatusOr<v1::Data::Format> DetectFormat(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> file, FileSource(path, nullptr));
  const std::unique_ptr<ByteSource> source = Decompressed(std::move(file), path);
  char first[2];
  CONVOY_ASSIGN_OR_RETURN(const size_t got, source->Read(first));
  if (got == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected an IDX file or libsvm text, got an empty file"));
  }
  return got == 2 && first[0] == 0 && first[1] == 0 ? v1::Data::IDX : v1::Data::LIBSVM;
}

std::string LabelsPathFor(const std::string& images) {
  const size_t slash = images.rfind('/');
  const size_t at = images.rfind(kImages);
  if (at == std::string::npos || (slash != std::string::npos && at < slash)) return "";
  std::string labels = images;
  labels.replace(at, kImages.size(), kLabels);
  if (FileExists(labels)) return labels;
  const std::string other = absl::EndsWith(labels, ".gz")
                                ? labels.substr(0, labels.size() - kGzip.size())
                                : labels + std::string(kGzip);
  return FileExists(other) ? other : labels;
}

}  // namespace convoy
