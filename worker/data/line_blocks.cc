#include "worker/data/line_blocks.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {
constexpr size_t kBlockBytes = 256 << 10;
constexpr size_t kMaxLineBytes = 64 << 20;
}  // namespace

absl::StatusOr<std::span<const char>> LineBlocks::Next(uint64_t line) {
  DropLines();
  while (!ended_) {
    if (filled_ + kBlockBytes > buffer_.size()) buffer_.resize(filled_ + kBlockBytes);
    CONVOY_RETURN_IF_ERROR(Fill());
    if (lines_ > 0) break;
    if (filled_ > kMaxLineBytes) {
      return absl::InvalidArgumentError(absl::StrCat(name_, ":", line, ": the line is longer than ",
                                                     kMaxLineBytes >> 20, " MiB"));
    }
  }
  return std::span<const char>(buffer_).first(lines_);
}

void LineBlocks::DropLines() {
  std::copy(buffer_.begin() + static_cast<int64_t>(lines_),
            buffer_.begin() + static_cast<int64_t>(filled_), buffer_.begin());
  filled_ -= lines_;
  lines_ = 0;
}

// Adds a block; a last line without an end gets one (there is room: the block was not full).
absl::Status LineBlocks::Fill() {
  const size_t before = filled_;
  CONVOY_ASSIGN_OR_RETURN(const size_t got,
                          source_.Read(std::span(buffer_).subspan(before, kBlockBytes)));
  filled_ += got;
  ended_ = got < kBlockBytes;
  if (ended_ && filled_ > 0 && buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
  const void* const last = ::memrchr(buffer_.data() + before, '\n', filled_ - before);
  if (last != nullptr) {
    lines_ = static_cast<size_t>(static_cast<const char*>(last) - buffer_.data()) + 1;
  }
  return absl::OkStatus();
}

}  // namespace convoy
