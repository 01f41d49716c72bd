#include "tests/common/net/wire_text.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace convoy::testing {
namespace {

using Pieces = std::vector<std::unique_ptr<char[]>>;

void Add(const std::string& bytes, size_t begin, size_t size, Pieces* owner, Payload* payload) {
  auto piece = std::make_unique<char[]>(size);
  std::memcpy(piece.get(), bytes.data() + begin, size);
  payload->Append({piece.get(), size});
  owner->push_back(std::move(piece));
}

std::string Hex(const Payload& payload) { return absl::BytesToHexString(Bytes(payload)); }

}  // namespace

Payload Whole(const std::string& bytes) {
  return InPieces(bytes, std::max<size_t>(bytes.size(), 1));
}

Payload InPieces(const std::string& bytes, size_t size) {
  auto owner = std::make_shared<Pieces>();
  Payload payload(owner);
  for (size_t begin = 0; begin < bytes.size(); begin += size) {
    Add(bytes, begin, std::min(size, bytes.size() - begin), owner.get(), &payload);
  }
  return payload;
}

Payload InRandomPieces(const std::string& bytes, std::mt19937_64& random) {
  auto owner = std::make_shared<Pieces>();
  Payload payload(owner);
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t most = random() % 3 == 0 ? 3 : 64;
    const size_t size = std::min<size_t>(1 + random() % most, bytes.size() - begin);
    Add(bytes, begin, size, owner.get(), &payload);
    begin += size;
  }
  return payload;
}

std::string Bytes(const Payload& payload) {
  std::string bytes(payload.size(), '\0');
  payload.CopyTo(bytes.data());
  return bytes;
}

Payload Floats(const std::vector<float>& values) {
  auto owner = std::make_shared<std::vector<float>>(values);
  return Payload(*owner, owner);
}

std::vector<uint32_t> Bits(const Payload& payload) {
  std::vector<uint32_t> bits(payload.size() / sizeof(uint32_t));
  payload.CopyTo(bits.data());
  return bits;
}

std::string Text(const ExchangeRequest& r) {
  std::string text = absl::StrCat("job ", r.job_id, " gen ", r.generation, " id ", r.request_id,
                                  " worker ", r.worker, " session ", r.session, " step ", r.step,
                                  " node ", r.node.level, "/", r.node.index);
  absl::StrAppend(&text, " task ", r.task, " batch ", r.batch, " examples ", r.examples, " final ",
                  r.final, " pull [");
  for (uint32_t cell : r.pull_cells) absl::StrAppend(&text, cell, " ");
  absl::StrAppend(&text, "] version ", r.pull_version, " applied ", r.pull_applied, " clock ",
                  r.clock, " event ", static_cast<uint32_t>(r.clock_event), " completed ",
                  r.completed_task);
  for (const Contribution& c : r.contributions) {
    absl::StrAppend(&text, " {", c.cell, " @", c.base_version, " ", Hex(c.values), "}");
  }
  for (const RowPull& pull : r.pull_rows) {
    absl::StrAppend(&text, " rows of ", pull.table, " ", Hex(pull.ids), " anchors ", pull.anchors);
  }
  for (uint32_t cell : r.pull_anchors) absl::StrAppend(&text, " anchors of ", cell);
  return text;
}

std::string Text(const ExchangeReply& r) {
  std::string text =
      absl::StrCat("id ", r.request_id, " code ", static_cast<uint32_t>(r.code), " \"", r.message,
                   "\" retry ", r.retry_later, " expected ", r.expected_step);
  absl::StrAppend(&text, " staleness ", r.staleness.count, " ", r.staleness.sum, " ",
                  r.staleness.max, " ", r.staleness.min, " gone ", r.step_gone, " applied ",
                  r.applied_step);
  for (const CellValues& c : r.cells)
    absl::StrAppend(&text, " {", c.cell, " @", c.version, " ", Hex(c.values), "}");
  for (const CellValues& c : r.anchors)
    absl::StrAppend(&text, " anchors {", c.cell, " ", Hex(c.values), "}");
  return text;
}

}  // namespace convoy::testing
