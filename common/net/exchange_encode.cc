#include <google/protobuf/io/coded_stream.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "common/net/exchange.h"
#include "common/net/wire_tags.h"

namespace convoy {
namespace {

using google::protobuf::io::CodedOutputStream;
using namespace net_internal;  // NOLINT: wire types and tags

constexpr size_t kUsualHeader = 120;  // bytes of a message around its payloads

void PutVarint(uint64_t value, std::string* out) {
  uint8_t bytes[10];
  out->append(reinterpret_cast<char*>(bytes),
              static_cast<size_t>(CodedOutputStream::WriteVarint64ToArray(value, bytes) - bytes));
}

// Up to 24 numbers, gathered on the stack: most messages are a few numbers and one payload.
class Fields {
 public:
  Fields& Put(uint32_t field, uint64_t value) {
    if (value == 0) return *this;  // proto3: zero is absent
    end_ = CodedOutputStream::WriteTagToArray(Tag(field, kVarint), end_);
    end_ = CodedOutputStream::WriteVarint64ToArray(value, end_);
    return *this;
  }
  Fields& PutFixed64(uint32_t field, uint64_t value) {
    end_ = CodedOutputStream::WriteTagToArray(Tag(field, kFixed64), end_);
    end_ = CodedOutputStream::WriteLittleEndian64ToArray(value, end_);
    return *this;
  }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_), static_cast<size_t>(end_ - bytes_)};
  }

 private:
  uint8_t bytes_[24 * (2 + 10)];  // a tag below 16,384 and the longest number
  uint8_t* end_ = bytes_;
};

struct PayloadField {
  uint32_t field;
  const Payload* payload;
};

// The field `field` of a message: `head`, fields that it begins with, then the payloads.
void PutParts(uint32_t field, std::string_view head, std::initializer_list<PayloadField> payloads,
              WireMessage* message) {
  size_t size = head.size();
  for (const PayloadField& part : payloads) {
    const size_t bytes = part.payload->size();
    if (bytes > 0) size += 1 + CodedOutputStream::VarintSize64(bytes) + bytes;  // 1: a tag below 16
  }
  PutVarint(Tag(field, kBytes), &message->header());
  PutVarint(size, &message->header());
  message->header().append(head);
  for (const PayloadField& part : payloads) {
    if (part.payload->empty()) continue;
    PutVarint(Tag(part.field, kBytes), &message->header());
    PutVarint(part.payload->size(), &message->header());
    message->AddPayload(*part.payload);
  }
}

// The fields of Contribution, CellValues, RowContribution and RowValues.
void PutPart(uint32_t field, uint32_t id, uint64_t version,
             std::initializer_list<PayloadField> payloads, WireMessage* message) {
  PutParts(field, Fields().Put(1, id).Put(2, version).bytes(), payloads, message);
}

void PutRowPull(const RowPull& pull, WireMessage* message) {
  PutParts(21, Fields().Put(1, pull.table).Put(3, pull.anchors).bytes(), {{2, &pull.ids}}, message);
}

}  // namespace

WireMessage Encode(const ExchangeRequest& r) {
  WireMessage message;
  std::string& out = message.header();
  Fields fields;
  fields.PutFixed64(1, r.job_id)
      .Put(2, r.generation)
      .Put(3, r.request_id)
      .Put(4, r.worker)
      .Put(5, r.session)
      .Put(6, r.step)
      .Put(7, r.node.level)
      .Put(8, r.node.index)
      .Put(9, r.task)
      .Put(10, r.batch)
      .Put(11, r.examples)
      .Put(12, r.final)
      .Put(15, r.pull_version)
      .Put(16, r.pull_applied)
      .Put(17, r.clock)
      .Put(18, static_cast<uint32_t>(r.clock_event))
      .Put(19, r.completed_task);
  out.reserve(kUsualHeader);
  out.append(fields.bytes());
  for (uint32_t cell : r.pull_cells) {
    PutVarint(Tag(14, kVarint), &out);
    PutVarint(cell, &out);
  }
  for (uint32_t cell : r.pull_anchors) {
    PutVarint(Tag(22, kVarint), &out);
    PutVarint(cell, &out);
  }
  for (const Contribution& c : r.contributions)
    PutPart(13, c.cell, c.base_version, {{3, &c.values}}, &message);
  for (const RowContribution& c : r.rows)
    PutPart(20, c.table, c.base_version, {{3, &c.ids}, {4, &c.values}}, &message);
  for (const RowPull& pull : r.pull_rows) PutRowPull(pull, &message);
  message.Finish();
  return message;
}

WireMessage Encode(const ExchangeReply& r) {
  WireMessage message;
  std::string& out = message.header();
  Fields fields;
  fields.Put(1, r.request_id)
      .Put(2, static_cast<uint32_t>(r.code))
      .Put(5, r.retry_later)
      .Put(6, r.expected_step)
      .Put(7, r.staleness.count)
      .Put(8, r.staleness.sum)
      .Put(9, r.staleness.max)
      .Put(10, r.staleness.min)
      .Put(11, r.step_gone)
      .Put(12, r.applied_step);
  out.reserve(kUsualHeader);
  out.append(fields.bytes());
  if (!r.message.empty()) {
    PutVarint(Tag(3, kBytes), &out);
    PutVarint(r.message.size(), &out);
    out.append(r.message);
  }
  for (const CellValues& c : r.cells) PutPart(4, c.cell, c.version, {{3, &c.values}}, &message);
  for (const RowValues& rows : r.rows)
    PutPart(13, rows.table, rows.version, {{3, &rows.values}}, &message);
  for (const CellValues& c : r.anchors) PutPart(14, c.cell, c.version, {{3, &c.values}}, &message);
  message.Finish();
  return message;
}

}  // namespace convoy
