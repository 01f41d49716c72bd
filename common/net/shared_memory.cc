#include "common/net/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

// Of the memory's beginning; another number for another layout.
constexpr uint64_t kLayout = 0x31796f766e6f63;
constexpr size_t kControlBytes = 4096;
constexpr size_t kTotalBytes = kControlBytes + 2 * SharedMemory::kHalfBytes;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;

// A message whose values are in slots: this head, what follows of its parts of values, and the rest
// of its bytes. Parts lie one behind the other, each at a multiple of kAlignment from the first
// slot on.
constexpr char kInSlots = 0;  // no message of protobuf's begins so
struct Head {
  char kind = kInSlots;
  uint8_t first_slot = 0;
  uint16_t parts = 0;
};
struct Part {
  uint32_t before = 0;  // bytes of the rest between the part before and this one
  uint32_t bytes = 0;
};
constexpr size_t kAlignment = 64;
// Parts with fewer bytes stay in the rest.
constexpr size_t kMinPart = 1024;

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t SlotsFor(size_t bytes) {
  return (bytes + SharedMemory::kSlotBytes - 1) / SharedMemory::kSlotBytes;
}

uint64_t Bits(size_t first, size_t count) {
  return (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << first;
}

template <typename T>
void Put(const T& value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
template <typename T>
T Get(const std::string& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

absl::Status Error(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("shared memory of a stream: ", what));
}

}  // namespace

struct SharedMemory::Control {
  uint64_t layout;
  uint64_t id;
  // Slots that have been let go of by who received from them: of the client's half, of the
  // server's.
  alignas(64) std::atomic<uint64_t> freed_of_client;
  alignas(64) std::atomic<uint64_t> freed_of_server;

  static_assert(std::atomic<uint64_t>::is_always_lock_free, "processes share them");

  std::atomic<uint64_t>& freed(bool of_client) {
    return of_client ? freed_of_client : freed_of_server;
  }
};

// Slots that a message came in, and the bytes that came with it.
class SharedMemory::Slots {
 public:
  Slots(std::shared_ptr<SharedMemory> memory, uint64_t bits, std::string text)
      : memory_(std::move(memory)), bits_(bits), text_(std::move(text)) {}
  ~Slots() { memory_->control_->freed(!memory_->is_client_).fetch_or(bits_); }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  const std::string& text() const { return text_; }

 private:
  const std::shared_ptr<SharedMemory> memory_;
  const uint64_t bits_;
  const std::string text_;
};

namespace {

// The file has no pages until they are used: there must be no limit then.
absl::Status CheckLimits() {
  rlimit size{};
  if (::getrlimit(RLIMIT_FSIZE, &size) != 0 || size.rlim_cur < kTotalBytes) {
    return absl::UnavailableError("files may not be so large (ulimit -f)");
  }
  std::ifstream overcommit("/proc/sys/vm/overcommit_memory");
  if (overcommit.get() == '2') {
    return absl::UnavailableError("the system promises no more memory than it has");
  }
  return absl::OkStatus();
}

OwnedFd MakeFile() {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  constexpr unsigned kNeverExecuted = 8;  // MFD_NOEXEC_SEAL, since Linux 6.3
  OwnedFd file(::memfd_create("convoy", kFlags | kNeverExecuted));
  return file.valid() ? std::move(file) : OwnedFd(::memfd_create("convoy", kFlags));
}

}  // namespace

absl::StatusOr<std::shared_ptr<SharedMemory>> SharedMemory::Create() {
  if (absl::Status limits = CheckLimits(); !limits.ok()) return limits;
  const auto error = [] {
    return absl::UnavailableError(absl::StrCat("no memory to share: ", std::strerror(errno)));
  };
  OwnedFd file = MakeFile();
  if (!file.valid() || ::ftruncate(file.get(), kTotalBytes) != 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) {
    return error();
  }
  void* begin = ::mmap(nullptr, kTotalBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (begin == MAP_FAILED) return error();
  std::random_device random;
  new (begin) Control{kLayout, uint64_t{random()} << 32 | random(), {}, {}};
  return std::shared_ptr<SharedMemory>(
      new SharedMemory(std::move(file), static_cast<char*>(begin), true));
}

absl::StatusOr<std::shared_ptr<SharedMemory>> SharedMemory::Map(const OwnedFd& file) {
  static_assert(sizeof(Control) <= kControlBytes);
  struct stat status {};
  // Whoever could make it smaller could end this process.
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) return Error("its size is not final");
  if (::fstat(file.get(), &status) != 0 || status.st_size != kTotalBytes)
    return Error("not its size");
  void* begin = ::mmap(nullptr, kTotalBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (begin == MAP_FAILED) return Error(std::strerror(errno));
  std::shared_ptr<SharedMemory> memory(
      new SharedMemory(OwnedFd(), static_cast<char*>(begin), false));
  if (memory->control_->layout != kLayout) return Error("of another program");
  return memory;
}

SharedMemory::SharedMemory(OwnedFd file, char* begin, bool is_client)
    : file_(std::move(file)),
      begin_(begin),
      control_(reinterpret_cast<Control*>(begin)),
      is_client_(is_client),
      id_(control_->id) {}

SharedMemory::~SharedMemory() { ::munmap(begin_, kTotalBytes); }

char* SharedMemory::SlotOf(bool of_client, size_t slot) const {
  return begin_ + kControlBytes + (of_client ? 0 : kHalfBytes) + slot * kSlotBytes;
}

std::optional<size_t> SharedMemory::Take(size_t slots) {
  if (slots > kSlots) return std::nullopt;
  MutexLock lock(mutex_);
  taken_ &= ~control_->freed(is_client_).exchange(0);
  // Bits whose `slots` - 1 upper neighbours are free, too, by doubling.
  uint64_t free = ~taken_;
  for (size_t run = 1; run < slots && free != 0;) {
    const size_t more = std::min(run, slots - run);
    free &= free >> more;
    run += more;
  }
  if (free == 0) return std::nullopt;
  // The lowest: its memory is the likeliest to be in a cache.
  const auto first = static_cast<size_t>(std::countr_zero(free));
  taken_ |= Bits(first, slots);
  return first;
}

std::optional<WireMessage> SharedMemory::Place(const WireMessage& message) {
  size_t bytes = 0, parts = 0;
  for (const WireMessage::Piece& piece : message.pieces()) {
    if (piece.payload.size() < kMinPart) continue;
    bytes += Aligned(piece.payload.size());
    ++parts;
  }
  if (bytes < kMinBytes || parts > 0xffff) return std::nullopt;
  const std::optional<size_t> first = Take(SlotsFor(bytes));
  if (!first) return std::nullopt;

  WireMessage placed;
  std::string& out = placed.header();
  out.reserve(sizeof(Head) + parts * sizeof(Part) + message.header().size());
  Put(Head{kInSlots, static_cast<uint8_t>(*first), static_cast<uint16_t>(parts)}, &out);
  char* to = SlotOf(is_client_, *first);
  uint32_t before = 0;
  for (const WireMessage::Piece& piece : message.pieces()) {
    const size_t size = piece.payload.size();
    if (size < kMinPart) {
      before += static_cast<uint32_t>(size + piece.end - piece.begin);
      continue;
    }
    piece.payload.CopyTo(to);
    to += Aligned(size);
    Put(Part{std::exchange(before, 0), static_cast<uint32_t>(size)}, &out);
  }
  for (const WireMessage::Piece& piece : message.pieces()) {
    if (piece.payload.size() >= kMinPart) continue;
    out.append(message.header(), piece.begin, piece.end - piece.begin);
    for (const Segment& segment : piece.payload.segments()) out.append(segment.data, segment.size);
  }
  placed.Finish();
  return placed;
}

absl::StatusOr<Payload> SharedMemory::Find(Payload message) {
  if (message.empty() || *message.segments().front().data != kInSlots) return message;
  std::string text = message.ToString();
  if (text.size() < sizeof(Head)) return Error("a message ends in its head");
  const auto head = Get<Head>(text, 0);
  const size_t rest_begin = sizeof(Head) + head.parts * sizeof(Part);
  if (text.size() < rest_begin) return Error("a message ends in its head");
  const auto part = [&text](size_t i) { return Get<Part>(text, sizeof(Head) + i * sizeof(Part)); };
  size_t rest = text.size() - rest_begin, bytes = 0;
  for (size_t i = 0; i < head.parts; ++i) {
    if (part(i).before > rest) return Error("a part begins behind the end of its message");
    rest -= part(i).before;
    bytes += Aligned(part(i).bytes);
  }
  const size_t slots = SlotsFor(bytes);
  if (slots == 0 || head.first_slot >= kSlots || slots > kSlots - head.first_slot) {
    return Error(absl::StrCat(bytes, " bytes from slot ", head.first_slot, " on, of ", kSlots));
  }

  auto owner = std::make_shared<const Slots>(shared_from_this(), Bits(head.first_slot, slots),
                                             std::move(text));
  const std::string& kept = owner->text();
  Payload found(owner);
  const char* in_slots = SlotOf(!is_client_, head.first_slot);
  const char* in_rest = kept.data() + rest_begin;
  for (size_t i = 0; i < head.parts; ++i) {
    const auto of = Get<Part>(kept, sizeof(Head) + i * sizeof(Part));
    found.Append({in_rest, of.before});
    found.Append({in_slots, of.bytes});
    in_rest += of.before;
    in_slots += Aligned(of.bytes);
  }
  found.Append({in_rest, rest});
  return found;
}

}  // namespace convoy
