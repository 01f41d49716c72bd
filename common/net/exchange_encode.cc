#include <google/protobuf/io/coded_stream.h>

#include <initializer_list>
#include <string>

#include "common/net/exchange.h"
#include "common/net/wire_tags.h"

namespace convoy {
namespace {

using google::protobuf::io::CodedOutputStream;
using namespace net_internal;  // NOLINT: wire types and tags

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

struct PayloadField {
  uint32_t field;
  const Payload* payload;
};

// The field `field` of a message: `head`, fields that it begins with, then the payloads.
void PutParts(uint32_t field, const std::string& head, std::initializer_list<PayloadField> payloads,
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
  std::string head;
  PutField(1, id, &head);
  PutField(2, version, &head);
  PutParts(field, head, payloads, message);
}

void PutRowPull(const RowPull& pull, WireMessage* message) {
  std::string head;
  PutField(1, pull.table, &head);
  PutField(3, pull.anchors, &head);
  PutParts(21, head, {{2, &pull.ids}}, message);
}

}  // namespace

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
  for (const CellValues& c : r.cells) PutPart(4, c.cell, c.version, {{3, &c.values}}, &message);
  for (const RowValues& rows : r.rows)
    PutPart(13, rows.table, rows.version, {{3, &rows.values}}, &message);
  for (const CellValues& c : r.anchors) PutPart(14, c.cell, c.version, {{3, &c.values}}, &message);
  message.Finish();
  return message;
}

}  // namespace convoy
