// The newest lines of events.jsonl, for observers. Old ones are forgotten: memory stays bounded.
#ifndef CONVOY_LAUNCHER_COORDINATOR_EVENT_LOG_H_
#define CONVOY_LAUNCHER_COORDINATOR_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "proto/coordinator.pb.h"

namespace convoy {

class EventLog {
 public:
  // Keeps the newest `max_bytes` of lines; a reply carries at most `max_reply_bytes` of them. At
  // least one line each.
  explicit EventLog(size_t max_bytes = size_t{8} << 20, size_t max_reply_bytes = size_t{1} << 20)
      : max_bytes_(max_bytes), max_reply_bytes_(max_reply_bytes) {}

  void Append(std::string line);
  // Fills events and events_seen with what follows the first `seen` lines.
  void Read(uint64_t seen, v1::GetProgressReply* reply) const;
  // Lines so far, the forgotten ones included.
  uint64_t size() const { return first_ + lines_.size(); }

 private:
  const size_t max_bytes_;
  const size_t max_reply_bytes_;
  std::deque<std::string> lines_;
  uint64_t first_ = 0;  // lines that are forgotten
  size_t bytes_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_EVENT_LOG_H_
