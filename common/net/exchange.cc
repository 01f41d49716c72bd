#include "common/net/exchange.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
constexpr uint32_t Tag(uint32_t field, WireType type) { return field << 3 | type; }

// ---- encoding

void PutVarint(uint64_t value, std::string* out) {
  uint8_t bytes[10];
  out->append(reinterpret_cast<char*>(bytes),
              static_cast<size_t>(CodedOutputStream::WriteVarint64ToArray(value, bytes) - bytes));
}

void PutField(uint32_t field, uint64_t value, std::string* out) {
  if (value == 0) return;  // proto3: zero is absent
  PutVarint(Tag(field, kVarint), out);
  PutVarint(value, out);
}

void PutFixed64(uint32_t field, uint64_t value, std::string* out) {
  PutVarint(Tag(field, kFixed64), out);
  uint8_t bytes[8];
  CodedOutputStream::WriteLittleEndian64ToArray(value, bytes);
  out->append(reinterpret_cast<char*>(bytes), sizeof(bytes));
}

// Contribution and CellValues share their shape: {cell = 1, version = 2, values = 3}.
void PutCell(uint32_t field, uint32_t cell, uint64_t version, const Payload& values, WireMessage* message) {
  std::string head;
  PutField(1, cell, &head);
  PutField(2, version, &head);
  if (!values.empty()) {
    PutVarint(Tag(3, kBytes), &head);
    PutVarint(values.size(), &head);
  }
  PutVarint(Tag(field, kBytes), &message->header());
  PutVarint(head.size() + values.size(), &message->header());
  message->header().append(head);
  if (!values.empty()) message->AddPayload(values);
}

// ---- decoding

class SegmentStream final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit SegmentStream(std::span<const Segment> segments) : segments_(segments) {}

  bool Next(const void** data, int* size) override {
    if (next_ == segments_.size()) return false;
    const Segment& segment = segments_[next_];
    const size_t take = std::min(segment.size - offset_, size_t{1} << 30);
    *data = segment.data + offset_;
    *size = static_cast<int>(take);
    count_ += static_cast<int64_t>(take);
    offset_ += take;
    if (offset_ == segment.size) {
      ++next_;
      offset_ = 0;
    }
    return true;
  }
  void BackUp(int count) override {
    if (offset_ == 0) offset_ = segments_[--next_].size;
    offset_ -= static_cast<size_t>(count);
    count_ -= count;
  }
  bool Skip(int count) override {
    const void* data;
    int size;
    while (count > 0 && Next(&data, &size)) {
      if (size > count) BackUp(size - count);
      count -= std::min(size, count);
    }
    return count == 0;
  }
  int64_t ByteCount() const override { return count_; }

 private:
  std::span<const Segment> segments_;
  size_t next_ = 0, offset_ = 0;
  int64_t count_ = 0;
};

// Reads the fields of one message. A false return means malformed bytes at position().
class Reader {
 public:
  explicit Reader(const Payload& message)
      : message_(message), stream_(message.segments()), in_(&stream_),
        end_(static_cast<int>(message.size())) {
    in_.SetTotalBytesLimit(std::numeric_limits<int>::max());
  }

  int position() const { return in_.CurrentPosition(); }
  bool AtEnd() const { return position() >= end_; }
  uint32_t NextTag() { return in_.ReadTagNoLastTag(); }
  bool Varint(uint64_t* value) { return in_.ReadVarint64(value); }
  bool Varint(uint32_t* value) {
    uint64_t wide;
    if (!in_.ReadVarint64(&wide) || wide > std::numeric_limits<uint32_t>::max()) return false;
    *value = static_cast<uint32_t>(wide);
    return true;
  }
  bool Fixed64(uint64_t* value) { return in_.ReadLittleEndian64(value); }
  bool Bool(bool* value) {
    uint64_t wide;
    if (!in_.ReadVarint64(&wide)) return false;
    *value = wide != 0;
    return true;
  }
  // Reads a length and enters that many bytes; leave with Leave(outer).
  bool Enter(int* outer) {
    uint64_t length;
    if (!in_.ReadVarint64(&length) || position() > end_ || length > static_cast<uint64_t>(end_ - position())) return false;
    *outer = end_;
    end_ = position() + static_cast<int>(length);
    return true;
  }
  bool Leave(int outer) {
    const bool exact = position() == end_;
    end_ = outer;
    return exact;
  }
  // Refers to the next `count` bytes.
  bool Refer(int count, Payload* payload) {
    while (count > 0) {
      const void* data;
      int size;
      if (!in_.GetDirectBufferPointer(&data, &size)) return false;
      size = std::min(size, count);
      payload->Append({static_cast<const char*>(data), static_cast<size_t>(size)});
      if (!in_.Skip(size)) return false;
      count -= size;
    }
    return true;
  }
  bool ReferRest(Payload* payload) { return Refer(end_ - position(), payload); }
  bool String(std::string* text) {
    int outer;
    return Enter(&outer) && in_.ReadString(text, end_ - position()) && Leave(outer);
  }
  bool SkipField(uint32_t tag) {
    if (tag >> 3 == 0) return false;
    if ((tag & 7) == kBytes) {
      int outer;
      return Enter(&outer) && in_.Skip(end_ - position()) && Leave(outer);
    }
    return (tag & 7) != 3 && (tag & 7) != 4 &&
           google::protobuf::internal::WireFormatLite::SkipField(&in_, tag) && position() <= end_;
  }
  const std::shared_ptr<const void>& owner() const { return message_.owner(); }

 private:
  const Payload& message_;
  SegmentStream stream_;
  CodedInputStream in_;
  int end_;
};

bool ReadCell(Reader& in, uint32_t* cell, uint64_t* version, Payload* values) {
  int outer;
  if (!in.Enter(&outer)) return false;
  *values = Payload(in.owner());
  while (!in.AtEnd()) {
    const uint32_t tag = in.NextTag();
    bool ok = true;
    int inner;
    switch (tag) {
      case Tag(1, kVarint): ok = in.Varint(cell); break;
      case Tag(2, kVarint): ok = in.Varint(version); break;
      case Tag(3, kBytes): ok = in.Enter(&inner) && in.ReferRest(values) && in.Leave(inner); break;
      case Tag(3, kFixed32): ok = in.Refer(4, values); break;
      default: ok = in.SkipField(tag);
    }
    if (!ok) return false;
  }
  return in.Leave(outer);
}

bool ReadPullCells(Reader& in, ExchangeRequest* request) {
  int outer;
  if (!in.Enter(&outer)) return false;
  while (!in.AtEnd()) {
    uint32_t cell;
    if (!in.Varint(&cell)) return false;
    request->pull_cells.push_back(cell);
  }
  return in.Leave(outer);
}

bool ReadRequestField(Reader& in, uint32_t tag, ExchangeRequest* r) {
  switch (tag) {
    case Tag(1, kFixed64): return in.Fixed64(&r->job_id);
    case Tag(2, kVarint): return in.Varint(&r->generation);
    case Tag(3, kVarint): return in.Varint(&r->request_id);
    case Tag(4, kVarint): return in.Varint(&r->worker);
    case Tag(5, kVarint): return in.Varint(&r->session);
    case Tag(6, kVarint): return in.Varint(&r->step);
    case Tag(7, kVarint): return in.Varint(&r->node.level);
    case Tag(8, kVarint): return in.Varint(&r->node.index);
    case Tag(9, kVarint): return in.Varint(&r->task);
    case Tag(10, kVarint): return in.Varint(&r->batch);
    case Tag(11, kVarint): return in.Varint(&r->examples);
    case Tag(12, kVarint): return in.Bool(&r->final);
    case Tag(13, kBytes): {
      Contribution& c = r->contributions.emplace_back();
      return ReadCell(in, &c.cell, &c.base_version, &c.values);
    }
    case Tag(14, kVarint): return in.Varint(&r->pull_cells.emplace_back());
    case Tag(14, kBytes): return ReadPullCells(in, r);
    case Tag(15, kVarint): return in.Varint(&r->pull_version);
    case Tag(16, kVarint): return in.Bool(&r->pull_applied);
    case Tag(17, kVarint): return in.Varint(&r->clock);
    case Tag(18, kVarint): {
      uint32_t event;
      if (!in.Varint(&event) || event > 2) return false;
      r->clock_event = static_cast<ClockEvent>(event);
      return true;
    }
    case Tag(19, kVarint): return in.Varint(&r->completed_task);
    default: return in.SkipField(tag);
  }
}

bool ReadReplyField(Reader& in, uint32_t tag, ExchangeReply* r) {
  switch (tag) {
    case Tag(1, kVarint): return in.Varint(&r->request_id);
    case Tag(2, kVarint): {
      uint32_t code;
      if (!in.Varint(&code)) return false;
      r->code = static_cast<absl::StatusCode>(code);
      return true;
    }
    case Tag(3, kBytes): return in.String(&r->message);
    case Tag(4, kBytes): {
      CellValues& c = r->cells.emplace_back();
      return ReadCell(in, &c.cell, &c.version, &c.values);
    }
    case Tag(5, kVarint): return in.Bool(&r->retry_later);
    case Tag(6, kVarint): return in.Varint(&r->expected_step);
    case Tag(7, kVarint): return in.Varint(&r->staleness.count);
    case Tag(8, kVarint): return in.Varint(&r->staleness.sum);
    case Tag(9, kVarint): return in.Varint(&r->staleness.max);
    case Tag(10, kVarint): return in.Varint(&r->staleness.min);
    case Tag(11, kVarint): return in.Bool(&r->step_gone);
    case Tag(12, kVarint): return in.Varint(&r->applied_step);
    default: return in.SkipField(tag);
  }
}

template <typename Message, typename ReadField>
absl::StatusOr<Message> Decode(const Payload& bytes, const char* name, ReadField read_field) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError(absl::StrCat(name, " of ", bytes.size(), " bytes, at most 2^31 - 1"));
  }
  Message message;
  Reader in(bytes);
  while (!in.AtEnd()) {
    const int position = in.position();
    const uint32_t tag = in.NextTag();
    if (tag == 0 || !read_field(in, tag, &message)) {
      return absl::InvalidArgumentError(absl::StrCat("malformed ", name, ": field ", tag >> 3,
                                                     " at byte ", position, " of ", bytes.size(),
                                                     " cannot be read; the sender is not a Convoy client of this version"));
    }
  }
  return message;
}

}  // namespace

size_t ExchangeRequest::payload_bytes() const {
  size_t bytes = 0;
  for (const Contribution& c : contributions) bytes += c.values.size();
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
  pieces_.push_back({0, 0, payload});
  payload_bytes_ += payload.size();
}

void WireMessage::Finish() {
  if (open_ < header_.size()) pieces_.push_back({open_, header_.size(), Payload()});
  open_ = header_.size();
}

std::string WireMessage::ToString() const {
  std::string bytes;
  for (const Piece& piece : pieces_) {
    bytes.append(header_, piece.begin, piece.end - piece.begin);
    for (const Segment& segment : piece.payload.segments()) bytes.append(segment.data, segment.size);
  }
  return bytes;
}

WireMessage Encode(const ExchangeRequest& r) {
  WireMessage message;
  std::string& out = message.header();
  PutFixed64(1, r.job_id, &out);
  PutField(2, r.generation, &out);
  PutField(3, r.request_id, &out);
  PutField(4, r.worker, &out);
  PutField(5, r.session, &out);
  PutField(6, r.step, &out);
  PutField(7, r.node.level, &out);
  PutField(8, r.node.index, &out);
  PutField(9, r.task, &out);
  PutField(10, r.batch, &out);
  PutField(11, r.examples, &out);
  PutField(12, r.final, &out);
  for (uint32_t cell : r.pull_cells) {
    PutVarint(Tag(14, kVarint), &out);
    PutVarint(cell, &out);
  }
  PutField(15, r.pull_version, &out);
  PutField(16, r.pull_applied, &out);
  PutField(17, r.clock, &out);
  PutField(18, static_cast<uint32_t>(r.clock_event), &out);
  PutField(19, r.completed_task, &out);
  for (const Contribution& c : r.contributions) PutCell(13, c.cell, c.base_version, c.values, &message);
  message.Finish();
  return message;
}

WireMessage Encode(const ExchangeReply& r) {
  WireMessage message;
  std::string& out = message.header();
  PutField(1, r.request_id, &out);
  PutField(2, static_cast<uint32_t>(r.code), &out);
  if (!r.message.empty()) {
    PutVarint(Tag(3, kBytes), &out);
    PutVarint(r.message.size(), &out);
    out.append(r.message);
  }
  PutField(5, r.retry_later, &out);
  PutField(6, r.expected_step, &out);
  PutField(7, r.staleness.count, &out);
  PutField(8, r.staleness.sum, &out);
  PutField(9, r.staleness.max, &out);
  PutField(10, r.staleness.min, &out);
  PutField(11, r.step_gone, &out);
  PutField(12, r.applied_step, &out);
  for (const CellValues& c : r.cells) PutCell(4, c.cell, c.version, c.values, &message);
  message.Finish();
  return message;
}

absl::StatusOr<ExchangeRequest> DecodeRequest(const Payload& message) {
  return Decode<ExchangeRequest>(message, "ExchangeRequest", ReadRequestField);
}

absl::StatusOr<ExchangeReply> DecodeReply(const Payload& message) {
  return Decode<ExchangeReply>(message, "ExchangeReply", ReadReplyField);
}

}  // namespace convoy
