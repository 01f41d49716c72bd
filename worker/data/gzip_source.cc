// Gzip for byte_source.h. RFC 1952; zlib does the work.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/byte_source.h"

namespace convoy {
namespace {

constexpr size_t kInputBytes = 256 << 10;
constexpr int kGzipOnly = 15 + 16;  // windowBits of inflateInit2

class DecompressedSource final : public ByteSource {
 public:
  DecompressedSource(std::unique_ptr<ByteSource> inner, const std::string& name)
      : inner_(std::move(inner)), name_(name), input_(kInputBytes) {}
  ~DecompressedSource() override {
    if (inflating_) inflateEnd(&stream_);
  }

  absl::StatusOr<size_t> Read(std::span<char> out) override {
    if (!started_) CONVOY_RETURN_IF_ERROR(Start());
    return gzip_ ? Inflate(out) : Copy(out);
  }

 private:
  absl::Status Start() {
    started_ = true;
    CONVOY_RETURN_IF_ERROR(Refill());
    gzip_ = available_ >= 2 && input_[0] == '\x1f' && input_[1] == '\x8b';
    return gzip_ ? StartMember() : absl::OkStatus();
  }

  absl::Status Refill() {
    CONVOY_ASSIGN_OR_RETURN(available_, inner_->Read(input_));
    next_ = 0;
    consumed_ += available_;
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> Copy(std::span<char> out) {
    const size_t size = std::min(out.size(), available_);
    std::copy_n(input_.begin() + static_cast<int64_t>(next_), size, out.begin());
    next_ += size;
    available_ -= size;
    if (size == out.size()) return size;
    CONVOY_ASSIGN_OR_RETURN(const size_t more, inner_->Read(out.subspan(size)));
    return size + more;
  }

  absl::Status StartMember() {
    if (inflating_) inflateEnd(&stream_);
    stream_ = {};
    inflating_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
    return inflating_ ? absl::OkStatus() : absl::ResourceExhaustedError("no memory for zlib");
  }

  absl::StatusOr<size_t> Inflate(std::span<char> out) {
    size_t filled = 0;
    while (filled < out.size() && !finished_) {
      if (available_ == 0) CONVOY_RETURN_IF_ERROR(Refill());
      if (available_ == 0) return Damaged("it ends inside the compressed data; is it truncated?");
      CONVOY_ASSIGN_OR_RETURN(const size_t got, InflateSome(out.subspan(filled)));
      filled += got;
    }
    return filled;
  }

  absl::StatusOr<size_t> InflateSome(std::span<char> out) {
    const size_t room = std::min<size_t>(out.size(), 1U << 30);  // avail_out has 32 bits.
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data() + next_);
    stream_.avail_in = static_cast<uInt>(available_);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    next_ += available_ - stream_.avail_in;
    available_ = stream_.avail_in;
    const size_t produced = room - stream_.avail_out;
    if (result == Z_STREAM_END) {
      CONVOY_RETURN_IF_ERROR(EndMember());
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Damaged(stream_.msg != nullptr ? stream_.msg : zError(result));
    }
    return produced;
  }

  absl::Status EndMember() {
    if (available_ == 0) CONVOY_RETURN_IF_ERROR(Refill());
    finished_ = available_ == 0;
    return finished_ ? absl::OkStatus() : StartMember();
  }

  absl::Status Damaged(const char* why) const {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ": damaged gzip file: near byte ", consumed_ - available_, ": ", why));
  }

  const std::unique_ptr<ByteSource> inner_;
  const std::string name_;
  std::vector<char> input_;
  size_t next_ = 0;       // first byte of input_ not yet used
  size_t available_ = 0;  // bytes of input_ from there
  uint64_t consumed_ = 0;
  bool started_ = false;
  bool gzip_ = false;
  bool inflating_ = false;
  bool finished_ = false;
  z_stream stream_ = {};
};

}  // namespace

std::unique_ptr<ByteSource> Decompressed(std::unique_ptr<ByteSource> inner,
                                         const std::string& name) {
  return std::make_unique<DecompressedSource>(std::move(inner), name);
}

}  // namespace convoy
