// The messages of one stream on their way into gRPC, one write at a time, and which of them leave
// together: one system call, and one wake-up of the peer, for several small messages of a burst.
// Internal to common/net.
#ifndef CONVOY_COMMON_NET_SEND_QUEUE_H_
#define CONVOY_COMMON_NET_SEND_QUEUE_H_

#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <deque>

#include "absl/time/time.h"

namespace convoy::net_internal {

// A message that comes while another one is being written belongs to a burst, of which more may
// come. With the end of that write it is held, if it is small: whoever owns the stream writes
// nothing until there is nothing else to do, and releases it then. Messages that wait behind one
// another are written with gRPC's hint that more follows, the last one without it, nor any that
// makes up kMaxHeldBytes with those before it: the peer works on them while this side goes on. A
// message that comes alone is written at once.
//
// Starts no operation itself. Not thread-safe.
class SendQueue {
 public:
  struct Message {
    grpc::ByteBuffer bytes;
    size_t size = 0;
    absl::Time due = absl::InfinitePast();  // not before; leaves alone unless it is this
  };

  // What is held must be released when this much waits, which Add does, or after this time, which
  // is up to the owner. A message that makes up as much with those before it has no hint.
  static constexpr size_t kMaxHeldBytes = size_t{12} << 10;
  static constexpr absl::Duration kMaxHeldTime = absl::Microseconds(100);

  void Add(Message message);
  bool empty() const { return messages_.empty(); }
  size_t bytes() const { return bytes_; }
  // Whether front() may be written now, but for its time.
  bool ready() const { return !messages_.empty() && !writing_ && !held_; }
  const Message& front() const { return messages_.front(); }

  // front() is being written; how. With the hint it may wait in gRPC for the next one, and the
  // write completes before it has left.
  grpc::WriteOptions BeginWrite();
  // The write is complete, and front() goes. True: what follows is held.
  bool EndWrite();
  // What is held may be written; false: nothing was.
  bool Release();

  bool writing() const { return writing_; }
  bool held() const { return held_; }
  // Whether something waits for its owner though the network would take it.
  bool holds_back() const { return held_ || (writing_ && hinted_); }

 private:
  std::deque<Message> messages_;
  size_t bytes_ = 0;  // of them
  bool wrote_ = false;
  size_t hinted_bytes_ = 0;  // written with the hint since the last write without it
  bool writing_ = false;
  bool hinted_ = false;  // the write under way, or the last one
  bool held_ = false;
};

}  // namespace convoy::net_internal

#endif  // CONVOY_COMMON_NET_SEND_QUEUE_H_
