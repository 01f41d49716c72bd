#include "common/net/wire_checksum.h"

#include <google/protobuf/io/coded_stream.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/math/random.h"
#include "common/net/wire_tags.h"

namespace convoy {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr uint32_t kTag = net_internal::Tag(30, net_internal::kFixed64);
constexpr size_t kTagBytes = 2;  // as a varint
constexpr size_t kTrailerBytes = kTagBytes + 8;

// Hashes pieces of bytes that follow one another.
class Hasher {
 public:
  Hasher() { XXH3_64bits_reset(State()); }
  void Add(const char* data, size_t size) { XXH3_64bits_update(State(), data, size); }
  uint64_t Digest() const { return XXH3_64bits_digest(State()); }

 private:
  // One of each thread: messages are hashed one after the other.
  static XXH3_state_t* State() {
    struct Free {
      void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    thread_local const std::unique_ptr<XXH3_state_t, Free> state(XXH3_createState());
    return state.get();
  }
};

}  // namespace

void AddChecksum(WireMessage* message) {
  Hasher hasher;
  for (const WireMessage::Piece& piece : message->pieces()) {
    hasher.Add(message->header().data() + piece.begin, piece.end - piece.begin);
    for (const Segment& segment : piece.payload.segments()) hasher.Add(segment.data, segment.size);
  }
  std::array<uint8_t, kTrailerBytes> trailer;
  uint8_t* const value = CodedOutputStream::WriteVarint32ToArray(kTag, trailer.data());
  CodedOutputStream::WriteLittleEndian64ToArray(hasher.Digest(), value);
  message->header().append(reinterpret_cast<const char*>(trailer.data()), trailer.size());
  message->Finish();
}

absl::Status VerifyChecksum(const Payload& message) {
  const size_t hashed = message.size() - std::min(message.size(), kTrailerBytes);
  Hasher hasher;
  std::array<uint8_t, kTrailerBytes> trailer{};
  size_t at = 0, kept = 0;
  for (const Segment& segment : message.segments()) {
    const size_t take = std::min(segment.size, hashed - std::min(hashed, at));
    hasher.Add(segment.data, take);
    const size_t rest = std::min(segment.size - take, kTrailerBytes - kept);
    std::memcpy(trailer.data() + kept, segment.data + take, rest);
    kept += rest;
    at += segment.size;
  }
  std::array<uint8_t, kTagBytes> tag;
  CodedOutputStream::WriteVarint32ToArray(kTag, tag.data());
  if (kept < kTrailerBytes || !std::equal(tag.begin(), tag.end(), trailer.begin())) {
    return absl::DataLossError(absl::StrCat("a message of ", message.size(),
                                            " bytes has no checksum at its end, which "
                                            "cluster.wire_checksums asks for: it was damaged on "
                                            "its way, or its sender sends none"));
  }
  uint64_t stated = 0;
  CodedInputStream::ReadLittleEndian64FromArray(trailer.data() + kTagBytes, &stated);
  const uint64_t found = hasher.Digest();
  if (found == stated) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("a message of %d bytes was damaged on its way: its checksum is %016x, want "
                      "%016x",
                      message.size(), found, stated));
}

WireMessage Damaged(const WireMessage& message, uint64_t number) {
  WireMessage damaged;
  damaged.header() = message.ToString();
  const uint64_t bit = RandomStream(0, "rehearsal/corrupt").Below(number, 8 * message.size());
  damaged.header()[bit / 8] ^= static_cast<char>(1 << bit % 8);
  damaged.Finish();
  return damaged;
}

}  // namespace convoy
