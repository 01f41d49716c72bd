#include "common/files/sequential_writer.h"

#include <fcntl.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

// Enough for every disk's blocks, and no page is written in both ways.
constexpr size_t kPage = 4096;
static_assert(SequentialWriter::kPiece % kPage == 0);

}  // namespace

SequentialWriter::SequentialWriter(const OwnedFd& file, std::string path)
    : file_(file),
      path_(std::move(path)),
      state_(XXH3_createState(), [](XXH3_state_s* state) { XXH3_freeState(state); }),
      piece_(nullptr, &std::free) {
  XXH3_64bits_reset(state_.get());
}

SequentialWriter::~SequentialWriter() = default;

absl::Status SequentialWriter::Append(std::string_view data) {
  XXH3_64bits_update(state_.get(), data.data(), data.size());
  while (!data.empty()) {
    if (piece_ == nullptr) {
      piece_.reset(static_cast<char*>(std::aligned_alloc(kPage, kPiece)));
      if (piece_ == nullptr) throw std::bad_alloc();
    }
    const size_t size = std::min(data.size(), kPiece - gathered_);
    std::memcpy(piece_.get() + gathered_, data.data(), size);
    gathered_ += size;
    data.remove_prefix(size);
    if (gathered_ == kPiece) CONVOY_RETURN_IF_ERROR(WriteGathered());
  }
  return absl::OkStatus();
}

absl::Status SequentialWriter::WriteGathered() {
  if (!WroteDirectly()) {
    CONVOY_RETURN_IF_ERROR(WriteAllAt(file_, written_, {piece_.get(), gathered_}, path_));
  }
  written_ += gathered_;
  gathered_ = 0;
  return absl::OkStatus();
}

bool SequentialWriter::WroteDirectly() {
  if (gathered_ != kPiece) return false;
  if (written_ == 0) direct_ = OwnedFd(::open(path_.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
  if (!direct_.valid()) return false;
  if (::pwrite(direct_.get(), piece_.get(), kPiece, static_cast<off_t>(written_)) == kPiece) {
    return true;
  }
  // Through the cache from here on: that either can, or says what is wrong.
  direct_.Close();
  return false;
}

absl::Status SequentialWriter::Finish() {
  return gathered_ == 0 ? absl::OkStatus() : WriteGathered();
}

FileHash SequentialWriter::hash() const { return {size(), XXH3_64bits_digest(state_.get())}; }

}  // namespace convoy
