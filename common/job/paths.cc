#include "common/job/paths.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kImages = "images-idx3";
constexpr std::string_view kLabels = "labels-idx1";
constexpr std::string_view kGzip = ".gz";

std::string ErrorText(int error) { return std::generic_category().message(error); }

// Why the file can't be read; empty if it can.
std::string WhyUnreadable(const std::string& path) {
  if (path.find('\0') != std::string::npos) return "its name has a zero byte";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrorText(errno);
  struct stat info;
  const bool is_folder = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
  close(fd);
  return is_folder ? ErrorText(EISDIR) : "";
}

struct InputFile {
  std::string field;
  std::string path;
};

// `labels` as given, or else the file derived from the name of `images`.
void AddExamples(const std::string& images_field, const std::string& images,
                 const std::string& labels_field, bool has_labels, const std::string& labels,
                 std::vector<InputFile>* files) {
  if (images.empty()) return;
  files->push_back({images_field, images});
  const std::string labels_path = has_labels ? labels : LabelsOf(images);
  if (!labels_path.empty()) files->push_back({labels_field, labels_path});
}

// Of examples.
std::vector<InputFile> InputFiles(const v1::Data& data) {
  const v1::Validation& validation = data.validation();
  std::vector<InputFile> files;
  AddExamples("data.train", data.train(), "data.train_labels", data.has_train_labels(),
              data.train_labels(), &files);
  AddExamples("data.validation.path", validation.path(), "data.validation.labels",
              validation.has_labels(), validation.labels(), &files);
  AddExamples("data.test.path", data.test().path(), "data.test.labels", data.test().has_labels(),
              data.test().labels(), &files);
  const v1::OldData& old = data.old();
  AddExamples("data.old.path", old.path(), "data.old.labels", old.has_labels(), old.labels(),
              &files);
  AddExamples("data.old.validation.path", old.validation().path(), "data.old.validation.labels",
              old.validation().has_labels(), old.validation().labels(), &files);
  return files;
}

void Resolve(const fs::path& folder, std::string* path) {
  if (!path->empty()) *path = (folder / *path).lexically_normal().string();
}

void ResolveHeldOut(const fs::path& folder, v1::Validation* part) {
  if (part->has_path()) Resolve(folder, part->mutable_path());
  if (part->has_labels()) Resolve(folder, part->mutable_labels());
}

}  // namespace

std::string LabelsOf(const std::string& images) {
  const size_t at = images.rfind(kImages);
  if (at == std::string::npos || images.find('/', at) != std::string::npos) return "";
  const std::string labels = std::string(images).replace(at, kImages.size(), kLabels);
  const std::string other = labels.ends_with(kGzip) ? labels.substr(0, labels.size() - kGzip.size())
                                                    : labels + std::string(kGzip);
  std::error_code ignored;
  return !fs::exists(labels, ignored) && fs::exists(other, ignored) ? other : labels;
}

void ResolvePaths(const std::string& job_file, v1::Job* job) {
  std::error_code ignored;
  const fs::path folder = fs::absolute(job_file, ignored).parent_path();
  if (job->init().has_from()) Resolve(folder, job->mutable_init()->mutable_from());
  if (!job->has_data()) return;
  v1::Data* data = job->mutable_data();
  if (data->has_train()) Resolve(folder, data->mutable_train());
  if (data->has_train_labels()) Resolve(folder, data->mutable_train_labels());
  if (data->has_cache_dir()) Resolve(folder, data->mutable_cache_dir());
  if (data->has_validation()) ResolveHeldOut(folder, data->mutable_validation());
  if (data->has_test()) ResolveHeldOut(folder, data->mutable_test());
  if (!data->has_old()) return;
  v1::OldData* old = data->mutable_old();
  if (old->has_path()) Resolve(folder, old->mutable_path());
  if (old->has_labels()) Resolve(folder, old->mutable_labels());
  if (old->has_validation()) ResolveHeldOut(folder, old->mutable_validation());
}

std::vector<Violation> CheckFiles(const v1::Job& job) {
  std::vector<Violation> violations;
  for (const InputFile& file : InputFiles(job.data())) {
    const std::string reason = WhyUnreadable(file.path);
    if (reason.empty()) continue;
    violations.push_back(
        {file.field, absl::StrCat(file.field, ": cannot read ", Shown(file.path), ": ", reason)});
  }
  return violations;
}

std::vector<std::string> InputsOf(const v1::Job& job) {
  std::vector<std::string> paths;
  for (const InputFile& file : InputFiles(job.data())) paths.push_back(file.path);
  // RUN_DIR@STEP names the run as well.
  const std::string from = job.init().from().substr(0, job.init().from().rfind('@'));
  if (from.empty()) return paths;
  paths.push_back(from);
  for (const char* of_run : {"/model.safetensors", "/checkpoints"}) paths.push_back(from + of_run);
  return paths;
}

std::string JobNameOf(const std::string& job_file) {
  const std::string name = fs::path(job_file).filename().string();
  const std::string stem = name.substr(0, name.find('.', 1));
  return stem.empty() ? "job" : stem;
}

}  // namespace convoy
