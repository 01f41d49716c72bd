#include "common/net/send_queue.h"

#include <utility>

namespace convoy::net_internal {

void SendQueue::Add(Message message) {
  bytes_ += message.size;
  messages_.push_back(std::move(message));
  if (bytes_ >= kMaxHeldBytes) held_ = false;
}

grpc::WriteOptions SendQueue::BeginWrite() {
  // Not the first message of a stream: a server's headers leave with it, and with the hint it would
  // wait for them.
  hinted_ = wrote_ && messages_.size() > 1 && messages_[1].due == absl::InfinitePast() &&
            hinted_bytes_ + messages_.front().size < kMaxHeldBytes;
  hinted_bytes_ = hinted_ ? hinted_bytes_ + messages_.front().size : 0;
  wrote_ = true;
  writing_ = true;
  grpc::WriteOptions options;
  if (hinted_) options.set_buffer_hint();
  return options;
}

bool SendQueue::EndWrite() {
  writing_ = false;
  bytes_ -= messages_.front().size;
  messages_.pop_front();
  held_ = !messages_.empty() && !hinted_ && bytes_ < kMaxHeldBytes &&
          messages_.front().due == absl::InfinitePast();
  return held_;
}

bool SendQueue::Release() { return std::exchange(held_, false); }

}  // namespace convoy::net_internal
