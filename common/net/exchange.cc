#include "common/net/exchange.h"

#include <algorithm>
#include <utility>

namespace convoy {

size_t ExchangeRequest::payload_bytes() const {
  size_t bytes = 0;
  for (const Contribution& c : contributions) bytes += c.values.size();
  for (const RowContribution& c : rows) bytes += c.values.size();
  return bytes;
}

void Staleness::Add(uint64_t staleness) { Merge({1, staleness, staleness, staleness}); }

void Staleness::Merge(const Staleness& other) {
  if (other.count == 0) return;
  min = count == 0 ? other.min : std::min(min, other.min);
  max = std::max(max, other.max);
  sum += other.sum;
  count += other.count;
}

void WireMessage::AddPayload(const Payload& payload) {
  Finish();
  pieces_.emplace_back().payload = payload;
  payload_bytes_ += payload.size();
}

void WireMessage::Finish() {
  if (open_ == header_.size()) return;
  Piece& piece = pieces_.emplace_back();
  piece.begin = std::exchange(open_, header_.size());
  piece.end = header_.size();
}

std::string WireMessage::ToString() const {
  std::string bytes;
  for (const Piece& piece : pieces_) {
    bytes.append(header_, piece.begin, piece.end - piece.begin);
    for (const Segment& segment : piece.payload.segments())
      bytes.append(segment.data, segment.size);
  }
  return bytes;
}

}  // namespace convoy
