#include "launcher/coordinator/event_log.h"

#include <algorithm>
#include <utility>

namespace convoy {

void EventLog::Append(std::string line) {
  bytes_ += line.size();
  lines_.push_back(std::move(line));
  while (bytes_ > max_bytes_ && lines_.size() > 1) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
    ++first_;
  }
}

void EventLog::Read(uint64_t seen, v1::GetProgressReply* reply) const {
  uint64_t next = std::clamp(seen, first_, size());
  size_t bytes = 0;
  for (; next < size(); ++next) {
    const std::string& line = lines_[next - first_];
    bytes += line.size();
    if (bytes > max_reply_bytes_ && reply->events_size() > 0) break;
    reply->add_events(line);
  }
  reply->set_events_seen(next);
}

}  // namespace convoy
