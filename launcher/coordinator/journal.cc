#include "launcher/coordinator/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files/atomic_file.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr std::string_view kJournalMagic = "CONVOYJ1";
constexpr uint32_t kJournalVersion = 1;
constexpr uint32_t kBeginsAnew = 1;
constexpr size_t kHeadBytes = 20;
// Above the largest message that the coordinator receives.
constexpr uint32_t kMaxRecordBytes = 300u << 20;

struct BlockHead {
  uint32_t bytes = 0;
  uint32_t flags = 0;
  uint64_t xxh3 = 0;
};

uint32_t ChecksumOfHead(const char* head) {
  return static_cast<uint32_t>(XXH3_64bits(head, kHeadBytes - 4));
}

void PutHead(const BlockHead& head, char* to) {
  std::memcpy(to, &head.bytes, 4);
  std::memcpy(to + 4, &head.flags, 4);
  std::memcpy(to + 8, &head.xxh3, 8);
  const uint32_t own = ChecksumOfHead(to);
  std::memcpy(to + 16, &own, 4);
}

// nullopt: its own checksum is wrong.
std::optional<BlockHead> GetHead(const char* from) {
  BlockHead head;
  uint32_t own = 0;
  std::memcpy(&head.bytes, from, 4);
  std::memcpy(&head.flags, from + 4, 4);
  std::memcpy(&head.xxh3, from + 8, 8);
  std::memcpy(&own, from + 16, 4);
  if (own != ChecksumOfHead(from)) return std::nullopt;
  return head;
}

absl::StatusOr<OwnedFd> OpenLocked(const std::string& path, int flags) {
  OwnedFd fd(::open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0666));
  if (!fd.valid()) return ErrnoError("cannot open the coordinator's journal", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the journal \"", path, "\" is in use by another coordinator, which lives"));
  }
  return fd;
}

}  // namespace

// ------------------------------------------------------------------------------ writing

class Journal::Deflater {
 public:
  Deflater() { deflateInit2(&stream_, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY); }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Appends the deflated `text` to `to`.
  void Add(const std::string& text, std::string* to) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      const size_t begin = to->size();
      to->resize(begin + text.size() / 2 + 256);
      stream_.next_out = reinterpret_cast<Bytef*>(to->data() + begin);
      stream_.avail_out = static_cast<uInt>(to->size() - begin);
      deflate(&stream_, Z_SYNC_FLUSH);
      to->resize(to->size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  bool began() { return std::exchange(began_, true); }

 private:
  z_stream stream_{};
  bool began_ = false;
};

Journal::Journal(std::string path, OwnedFd fd, uint64_t size)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      deflater_(std::make_unique<Deflater>()),
      size_(size) {}

Journal::~Journal() = default;

absl::StatusOr<std::unique_ptr<Journal>> Journal::Create(const std::string& path,
                                                         const v1::JournalHeader& header) {
  CONVOY_ASSIGN_OR_RETURN(OwnedFd fd, OpenLocked(path, O_CREAT));
  if (::ftruncate(fd.get(), 0) != 0) return ErrnoError("cannot empty", path);
  auto journal = std::unique_ptr<Journal>(new Journal(path, std::move(fd), 0));
  CONVOY_RETURN_IF_ERROR(WriteAllAt(journal->fd_, 0, kJournalMagic, path));
  journal->size_ = kJournalMagic.size();
  v1::JournalHeader versioned = header;
  versioned.set_version(kJournalVersion);
  CONVOY_RETURN_IF_ERROR(journal->AppendBytes(versioned.SerializeAsString()));
  CONVOY_RETURN_IF_ERROR(journal->Sync());
  CONVOY_RETURN_IF_ERROR(SyncFolderOf(path));
  return journal;
}

absl::Status Journal::Append(const v1::JournalRecord& record) {
  return AppendBytes(record.SerializeAsString());
}

absl::Status Journal::AppendBytes(const std::string& message) {
  BlockHead head;
  head.flags = deflater_->began() ? 0 : kBeginsAnew;
  block_.assign(kHeadBytes, '\0');
  deflater_->Add(message, &block_);
  const std::string_view data = std::string_view(block_).substr(kHeadBytes);
  head.bytes = static_cast<uint32_t>(data.size());
  head.xxh3 = XXH3_64bits(data.data(), data.size());
  PutHead(head, block_.data());
  // At its place: after an error the next one does not follow half a block.
  CONVOY_RETURN_IF_ERROR(WriteAllAt(fd_, size_, block_, path_));
  size_ += block_.size();
  return absl::OkStatus();
}

absl::Status Journal::Sync() const {
  return ::fdatasync(fd_.get()) == 0 ? absl::OkStatus() : ErrnoError("cannot sync", path_);
}

// Emptied, too: where the name can't be removed it is refused as damaged.
absl::Status Journal::Discard() const {
  const bool emptied = ::ftruncate(fd_.get(), 0) == 0;
  if (::unlink(path_.c_str()) == 0 || emptied) return absl::OkStatus();
  return ErrnoError("cannot remove", path_);
}

// ------------------------------------------------------------------------------ reading

class JournalReader::Inflater {
 public:
  Inflater() { inflateInit2(&stream_, -15); }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void BeginAnew() { inflateReset(&stream_); }
  // False: this is not what a Deflater wrote, or it is too long.
  bool Add(const std::string& data, std::string* text) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream_.avail_in = static_cast<uInt>(data.size());
    do {
      const size_t begin = text->size();
      if (begin > kMaxRecordBytes) return false;
      text->resize(begin + data.size() * 4 + 256);
      stream_.next_out = reinterpret_cast<Bytef*>(text->data() + begin);
      stream_.avail_out = static_cast<uInt>(text->size() - begin);
      const int result = inflate(&stream_, Z_SYNC_FLUSH);
      text->resize(text->size() - stream_.avail_out);
      if (result != Z_OK && result != Z_BUF_ERROR) return false;
    } while (stream_.avail_out == 0);
    return stream_.avail_in == 0;
  }

 private:
  z_stream stream_{};
};

JournalReader::JournalReader(std::string path, OwnedFd fd, uint64_t size)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      size_(size),
      inflater_(std::make_unique<Inflater>()) {}

JournalReader::~JournalReader() = default;

absl::StatusOr<std::unique_ptr<JournalReader>> JournalReader::Open(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(OwnedFd fd, OpenLocked(path, 0));
  CONVOY_ASSIGN_OR_RETURN(const uint64_t size, FileSize(fd, path));
  auto reader = std::unique_ptr<JournalReader>(new JournalReader(path, std::move(fd), size));
  char magic[kJournalMagic.size()] = {};
  if (size < sizeof(magic)) return reader->Damaged("it is too short");
  CONVOY_RETURN_IF_ERROR(ReadExactlyAt(reader->fd_, 0, magic, sizeof(magic), path));
  if (std::string_view(magic, sizeof(magic)) != kJournalMagic)
    return reader->Damaged("this is no journal");
  reader->at_ = sizeof(magic);
  CONVOY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, reader->NextBytes());
  if (!bytes || !reader->header_.ParseFromString(*bytes))
    return reader->Damaged("its beginning is missing");
  if (reader->header_.version() != kJournalVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the journal \"", path, "\" has format ", reader->header_.version(),
                     ", this program reads format ", kJournalVersion));
  }
  return reader;
}

absl::Status JournalReader::Damaged(const std::string& what) const {
  return absl::DataLossError(
      absl::StrCat("the journal \"", path_, "\" is damaged at byte ", at_, ": ", what));
}

absl::StatusOr<std::optional<std::string>> JournalReader::NextBytes() {
  char bytes[kHeadBytes];
  if (size_ - at_ < kHeadBytes) return std::nullopt;
  CONVOY_RETURN_IF_ERROR(ReadExactlyAt(fd_, at_, bytes, kHeadBytes, path_));
  const std::optional<BlockHead> head = GetHead(bytes);
  if (!head) return Damaged("the checksum of a record's head is wrong");
  // The end of its writer cut the last one off.
  if (head->bytes > size_ - at_ - kHeadBytes) return std::nullopt;
  std::string data(head->bytes, '\0');
  CONVOY_RETURN_IF_ERROR(ReadExactlyAt(fd_, at_ + kHeadBytes, data.data(), data.size(), path_));
  if (XXH3_64bits(data.data(), data.size()) != head->xxh3)
    return Damaged("the checksum of a record is wrong");
  if (head->flags == kBeginsAnew) inflater_->BeginAnew();
  std::string text;
  if (!inflater_->Add(data, &text)) return Damaged("a record can't be unpacked");
  at_ += kHeadBytes + head->bytes;
  return text;
}

absl::StatusOr<std::optional<v1::JournalRecord>> JournalReader::Next() {
  CONVOY_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, NextBytes());
  if (!bytes) return std::nullopt;
  v1::JournalRecord record;
  if (!record.ParseFromString(*bytes)) return Damaged("a record makes no sense");
  return record;
}

absl::StatusOr<std::unique_ptr<Journal>> JournalReader::Continue() {
  if (::ftruncate(fd_.get(), static_cast<off_t>(at_)) != 0)
    return ErrnoError("cannot cut off the end of", path_);
  return std::unique_ptr<Journal>(new Journal(path_, std::move(fd_), at_));
}

}  // namespace convoy
