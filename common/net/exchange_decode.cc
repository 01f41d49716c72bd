#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/net/exchange.h"
#include "common/net/wire_tags.h"
#include "common/status.h"

namespace convoy {
namespace {

using google::protobuf::io::CodedInputStream;
using namespace net_internal;  // NOLINT: wire types and tags

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
      : message_(message),
        stream_(message.segments()),
        in_(&stream_),
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
    if (!in_.ReadVarint64(&length) || position() > end_ ||
        length > static_cast<uint64_t>(end_ - position()))
      return false;
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
  // Reads a message within this one: read_field(tag) is called for each field and returns false if
  // it is malformed.
  template <typename ReadField>
  bool Message(ReadField read_field) {
    int outer;
    if (!Enter(&outer)) return false;
    while (!AtEnd()) {
      if (!read_field(NextTag())) return false;
    }
    return Leave(outer);
  }
  const std::shared_ptr<const void>& owner() const { return message_.owner(); }

 private:
  const Payload& message_;
  SegmentStream stream_;
  CodedInputStream in_;
  int end_;
};

// A packed field of fixed-size values, or one value of an unpacked one. Values of several pieces
// follow one another.
bool ReadPacked(Reader& in, Payload* values) {
  int inner;
  return in.Enter(&inner) && in.ReferRest(values) && in.Leave(inner);
}

bool ReadCell(Reader& in, uint32_t* cell, uint64_t* version, Payload* values) {
  values->Restart(in.owner());
  return in.Message([&](uint32_t tag) {
    switch (tag) {
      case Tag(1, kVarint):
        return in.Varint(cell);
      case Tag(2, kVarint):
        return in.Varint(version);
      case Tag(3, kBytes):
        return ReadPacked(in, values);
      case Tag(3, kFixed32):
        return in.Refer(4, values);
      default:
        return in.SkipField(tag);
    }
  });
}

bool ReadRows(Reader& in, RowContribution* rows) {
  rows->ids.Restart(in.owner());
  rows->values.Restart(in.owner());
  return in.Message([&](uint32_t tag) {
    switch (tag) {
      case Tag(1, kVarint):
        return in.Varint(&rows->table);
      case Tag(2, kVarint):
        return in.Varint(&rows->base_version);
      case Tag(3, kBytes):
        return ReadPacked(in, &rows->ids);
      case Tag(3, kFixed64):
        return in.Refer(8, &rows->ids);
      case Tag(4, kBytes):
        return ReadPacked(in, &rows->values);
      case Tag(4, kFixed32):
        return in.Refer(4, &rows->values);
      default:
        return in.SkipField(tag);
    }
  });
}

bool ReadRowPull(Reader& in, RowPull* pull) {
  pull->ids.Restart(in.owner());
  return in.Message([&](uint32_t tag) {
    switch (tag) {
      case Tag(1, kVarint):
        return in.Varint(&pull->table);
      case Tag(2, kBytes):
        return ReadPacked(in, &pull->ids);
      case Tag(2, kFixed64):
        return in.Refer(8, &pull->ids);
      case Tag(3, kVarint):
        return in.Bool(&pull->anchors);
      default:
        return in.SkipField(tag);
    }
  });
}

// A packed field of numbers of cells.
template <typename Cells>
bool ReadCells(Reader& in, Cells* cells) {
  int outer;
  if (!in.Enter(&outer)) return false;
  while (!in.AtEnd()) {
    uint32_t cell;
    if (!in.Varint(&cell)) return false;
    cells->push_back(cell);
  }
  return in.Leave(outer);
}

bool ReadRequestField(Reader& in, uint32_t tag, ExchangeRequest* r) {
  switch (tag) {
    case Tag(1, kFixed64):
      return in.Fixed64(&r->job_id);
    case Tag(2, kVarint):
      return in.Varint(&r->generation);
    case Tag(3, kVarint):
      return in.Varint(&r->request_id);
    case Tag(4, kVarint):
      return in.Varint(&r->worker);
    case Tag(5, kVarint):
      return in.Varint(&r->session);
    case Tag(6, kVarint):
      return in.Varint(&r->step);
    case Tag(7, kVarint):
      return in.Varint(&r->node.level);
    case Tag(8, kVarint):
      return in.Varint(&r->node.index);
    case Tag(9, kVarint):
      return in.Varint(&r->task);
    case Tag(10, kVarint):
      return in.Varint(&r->batch);
    case Tag(11, kVarint):
      return in.Varint(&r->examples);
    case Tag(12, kVarint):
      return in.Bool(&r->final);
    case Tag(13, kBytes): {
      Contribution& c = r->contributions.emplace_back();
      return ReadCell(in, &c.cell, &c.base_version, &c.values);
    }
    case Tag(14, kVarint):
      return in.Varint(&r->pull_cells.emplace_back());
    case Tag(14, kBytes):
      return ReadCells(in, &r->pull_cells);
    case Tag(15, kVarint):
      return in.Varint(&r->pull_version);
    case Tag(16, kVarint):
      return in.Bool(&r->pull_applied);
    case Tag(17, kVarint):
      return in.Varint(&r->clock);
    case Tag(18, kVarint): {
      uint32_t event;
      if (!in.Varint(&event) || event > 3) return false;
      r->clock_event = static_cast<ClockEvent>(event);
      return true;
    }
    case Tag(19, kVarint):
      return in.Varint(&r->completed_task);
    case Tag(20, kBytes):
      return ReadRows(in, &r->rows.emplace_back());
    case Tag(21, kBytes):
      return ReadRowPull(in, &r->pull_rows.emplace_back());
    case Tag(22, kVarint):
      return in.Varint(&r->pull_anchors.emplace_back());
    case Tag(22, kBytes):
      return ReadCells(in, &r->pull_anchors);
    default:
      return in.SkipField(tag);
  }
}

bool ReadReplyField(Reader& in, uint32_t tag, ExchangeReply* r) {
  switch (tag) {
    case Tag(1, kVarint):
      return in.Varint(&r->request_id);
    case Tag(2, kVarint): {
      uint32_t code;
      if (!in.Varint(&code)) return false;
      r->code = static_cast<absl::StatusCode>(code);
      return true;
    }
    case Tag(3, kBytes):
      return in.String(&r->message);
    case Tag(4, kBytes):
    case Tag(14, kBytes): {
      CellValues& c = tag == Tag(4, kBytes) ? r->cells.emplace_back() : r->anchors.emplace_back();
      return ReadCell(in, &c.cell, &c.version, &c.values);
    }
    case Tag(5, kVarint):
      return in.Bool(&r->retry_later);
    case Tag(6, kVarint):
      return in.Varint(&r->expected_step);
    case Tag(7, kVarint):
      return in.Varint(&r->staleness.count);
    case Tag(8, kVarint):
      return in.Varint(&r->staleness.sum);
    case Tag(9, kVarint):
      return in.Varint(&r->staleness.max);
    case Tag(10, kVarint):
      return in.Varint(&r->staleness.min);
    case Tag(11, kVarint):
      return in.Bool(&r->step_gone);
    case Tag(12, kVarint):
      return in.Varint(&r->applied_step);
    case Tag(13, kBytes): {
      RowValues& rows = r->rows.emplace_back();
      return ReadCell(in, &rows.table, &rows.version, &rows.values);
    }
    default:
      return in.SkipField(tag);
  }
}

template <typename Message, typename ReadField>
absl::StatusOr<Message> Decode(const Payload& bytes, const char* name, ReadField read_field) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " of ", bytes.size(), " bytes, at most 2^31 - 1"));
  }
  Message message;
  Reader in(bytes);
  while (!in.AtEnd()) {
    const int position = in.position();
    const uint32_t tag = in.NextTag();
    if (tag == 0 || !read_field(in, tag, &message)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "malformed ", name, ": field ", tag >> 3, " at byte ", position, " of ", bytes.size(),
          " cannot be read; the sender is not a Convoy client of this version"));
    }
  }
  return message;
}

}  // namespace

absl::StatusOr<ExchangeRequest> DecodeRequest(const Payload& message) {
  return Decode<ExchangeRequest>(message, "ExchangeRequest", ReadRequestField);
}

absl::StatusOr<ExchangeReply> DecodeReply(const Payload& message) {
  return Decode<ExchangeReply>(message, "ExchangeReply", ReadReplyField);
}

}  // namespace convoy
