// Decodes any bytes, cut into segments at places that the input itself chooses, as messages of the
// data stream. Whatever is accepted must be encoded to bytes that mean the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "common/net/exchange.h"

namespace {

void Check(bool condition) {
  if (!condition) std::abort();
}

std::string Bytes(const convoy::Payload& payload) {
  std::string bytes(payload.size(), '\0');
  payload.CopyTo(bytes.data());
  return bytes;
}

// Each segment lies in memory of its own size, so that the sanitizers see a read beyond its end.
class Segments {
 public:
  // The first byte says how many lengths follow; the rest is the message.
  Segments(const uint8_t* data, size_t size) {
    const size_t cuts = size == 0 ? 0 : std::min<size_t>(data[0] % 16, size - 1);
    size_t position = std::min(size, 1 + cuts);
    for (size_t i = 0; i < cuts; ++i) {
      const size_t length = std::min<size_t>(data[1 + i], size - position);
      Add(data + position, length);
      position += length;
    }
    Add(data + position, size - position);
  }

  const convoy::Payload& payload() const { return payload_; }

 private:
  void Add(const uint8_t* data, size_t size) {
    std::vector<char>& copy =
        *copies_.emplace_back(std::make_unique<std::vector<char>>(data, data + size));
    payload_.Append({copy.data(), copy.size()});
  }

  std::vector<std::unique_ptr<std::vector<char>>> copies_;
  convoy::Payload payload_;
};

void CheckSame(const convoy::Contribution& a, const convoy::Contribution& b) {
  Check(a.cell == b.cell && a.base_version == b.base_version && Bytes(a.values) == Bytes(b.values));
}

void CheckSame(const convoy::CellValues& a, const convoy::CellValues& b) {
  Check(a.cell == b.cell && a.version == b.version && Bytes(a.values) == Bytes(b.values));
}

void CheckSame(const convoy::RowPull& a, const convoy::RowPull& b) {
  Check(a.table == b.table && a.anchors == b.anchors && Bytes(a.ids) == Bytes(b.ids));
}

template <typename List>
void CheckSameList(const List& a, const List& b) {
  Check(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CheckSame(a[i], b[i]);
}

void CheckSame(const convoy::ExchangeRequest& a, const convoy::ExchangeRequest& b) {
  Check(a.job_id == b.job_id && a.generation == b.generation && a.request_id == b.request_id);
  Check(a.worker == b.worker && a.session == b.session);
  Check(a.step == b.step && a.node == b.node && a.task == b.task && a.batch == b.batch);
  Check(a.examples == b.examples && a.final == b.final);
  Check(a.pull_cells == b.pull_cells && a.pull_version == b.pull_version);
  Check(a.pull_applied == b.pull_applied && a.clock == b.clock && a.clock_event == b.clock_event);
  Check(a.completed_task == b.completed_task && a.pull_anchors == b.pull_anchors);
  CheckSameList(a.pull_rows, b.pull_rows);
  CheckSameList(a.contributions, b.contributions);
}

void CheckSame(const convoy::ExchangeReply& a, const convoy::ExchangeReply& b) {
  Check(a.request_id == b.request_id && a.code == b.code && a.message == b.message);
  Check(a.retry_later == b.retry_later && a.expected_step == b.expected_step);
  Check(a.staleness.count == b.staleness.count && a.staleness.sum == b.staleness.sum);
  Check(a.staleness.max == b.staleness.max && a.staleness.min == b.staleness.min);
  CheckSameList(a.cells, b.cells);
  CheckSameList(a.anchors, b.anchors);
}

template <typename Message>
void CheckRoundTrip(const absl::StatusOr<Message>& message,
                    absl::StatusOr<Message> (*decode)(const convoy::Payload&)) {
  if (!message.ok()) return;
  const convoy::WireMessage encoded = convoy::Encode(*message);
  const std::string bytes = encoded.ToString();
  Check(bytes.size() == encoded.size());
  convoy::Payload payload;
  payload.Append({bytes.data(), bytes.size()});
  const absl::StatusOr<Message> again = decode(payload);
  Check(again.ok());
  CheckSame(*message, *again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Segments segments(data, size);
  CheckRoundTrip(convoy::DecodeRequest(segments.payload()), convoy::DecodeRequest);
  CheckRoundTrip(convoy::DecodeReply(segments.payload()), convoy::DecodeReply);
  return 0;
}
