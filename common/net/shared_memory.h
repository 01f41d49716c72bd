// Memory that the two ends of one stream share if they are processes of one host: the values of a
// message are copied into it and read where they are, and only the rest of the message goes through
// the socket. It is made by the client, comes to the server with the socket (local_socket.h), and
// is gone with the last process that has it.
//
// Each end writes to a half of its own, which is cut into slots. A message takes adjacent ones,
// until whoever received it has let go of its bytes and says so with a bit. If there are not
// enough, the message goes through the socket as a whole: nobody waits for memory.
#ifndef CONVOY_COMMON_NET_SHARED_MEMORY_H_
#define CONVOY_COMMON_NET_SHARED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "common/files/owned_fd.h"
#include "common/mutex.h"
#include "common/net/exchange.h"
#include "common/net/payload.h"

namespace convoy {

class SharedMemory : public std::enable_shared_from_this<SharedMemory> {
 public:
  static constexpr size_t kSlots = 64;  // of a half
  // A block of 256 KB takes eight slots. Not a power of two, so that equal blocks don't lie at
  // addresses that compete for the same lines of a cache.
  static constexpr size_t kSlotBytes = (size_t{32} << 10) + 64;
  static constexpr size_t kHalfBytes = kSlots * kSlotBytes;
  // Messages with fewer bytes of values are left as they are.
  static constexpr size_t kMinBytes = size_t{2} << 10;

  // The client's end. Unavailable: the system gives none.
  static absl::StatusOr<std::shared_ptr<SharedMemory>> Create();
  // The server's end of what a client has made. InvalidArgument: it is not such memory, or could
  // still change its size.
  static absl::StatusOr<std::shared_ptr<SharedMemory>> Map(const OwnedFd& file);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // By which the ends find each other.
  uint64_t id() const { return id_; }
  // The client's: what the server maps. It isn't needed any longer once it is on its way.
  OwnedFd TakeFile() { return std::move(file_); }

  // What to send in place of `message`, whose values have been copied. nullopt: send it as it is;
  // there is too little to copy, or no room for it. Any thread.
  std::optional<WireMessage> Place(const WireMessage& message);
  // The message that the other end gave to Place, or that it sent as it was. Its bytes stay where
  // they are until the last copy of the payload is gone. InvalidArgument: there are no such slots.
  absl::StatusOr<Payload> Find(Payload message);

 private:
  struct Control;
  class Slots;

  SharedMemory(OwnedFd file, char* begin, bool is_client);
  char* SlotOf(bool of_client, size_t slot) const;
  // nullopt: there are not so many side by side.
  std::optional<size_t> Take(size_t slots);

  OwnedFd file_;
  char* const begin_;
  Control* const control_;
  const bool is_client_;
  const uint64_t id_;

  Mutex mutex_;
  uint64_t taken_ CONVOY_GUARDED_BY(mutex_) = 0;  // a bit for each slot of this end's half
};

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_SHARED_MEMORY_H_
