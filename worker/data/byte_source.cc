#include "worker/data/byte_source.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/data/posix_file.h"

namespace convoy {
namespace {

constexpr uint64_t kActivityBytes = 4 << 20;

class MemoryByteSource final : public ByteSource {
 public:
  explicit MemoryByteSource(std::span<const char> bytes) : bytes_(bytes) {}

  absl::StatusOr<size_t> Read(std::span<char> out) override {
    const size_t size = std::min(out.size(), bytes_.size());
    if (size > 0) std::memcpy(out.data(), bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return size;
  }

 private:
  std::span<const char> bytes_;
};

class FileByteSource final : public ByteSource {
 public:
  FileByteSource(PosixFile file, uint64_t size, const ActivityCallback& activity)
      : file_(std::move(file)), size_(size), activity_(activity) {}

  absl::StatusOr<size_t> Read(std::span<char> out) override {
    absl::StatusOr<size_t> got = file_.Read(out);
    if (got.ok()) Report(*got);
    return got;
  }

 private:
  void Report(size_t got) {
    position_ += got;
    if (!activity_ || position_ < next_report_) return;
    next_report_ = position_ + kActivityBytes;
    const uint64_t percent = size_ == 0 ? 100 : std::min<uint64_t>(100, position_ * 100 / size_);
    activity_(absl::StrCat("reading ", file_.path(), ", ", percent, " %"));
  }

  PosixFile file_;
  const uint64_t size_;
  const ActivityCallback activity_;
  uint64_t position_ = 0;
  uint64_t next_report_ = kActivityBytes;
};

}  // namespace

std::unique_ptr<ByteSource> MemorySource(std::span<const char> bytes) {
  return std::make_unique<MemoryByteSource>(bytes);
}

absl::StatusOr<std::unique_ptr<ByteSource>> FileSource(const std::string& path,
                                                       const ActivityCallback& activity) {
  absl::StatusOr<PosixFile> file = PosixFile::OpenForReading(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<FileStamp> stamp = file->Stamp();
  if (!stamp.ok()) return stamp.status();
  return std::make_unique<FileByteSource>(*std::move(file), stamp->size, activity);
}

}  // namespace convoy
