// The messages of the data stream as the logic classes see them, and their bytes. The bytes are
// those of convoy.v1.ExchangeRequest and ExchangeReply (proto/parameter_server.proto, where every
// field is explained); tensor values are neither copied when encoded nor when decoded.
#ifndef CONVOY_COMMON_NET_EXCHANGE_H_
#define CONVOY_COMMON_NET_EXCHANGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "common/net/payload.h"
#include "common/placement/slice_tree.h"

namespace convoy {

// As ExchangeRequest::pull_version: whatever is newest, without waiting, in every mode.
inline constexpr uint64_t kNewestVersion = ~uint64_t{0};

struct Contribution {
  uint32_t cell = 0;
  uint64_t base_version = 0;
  Payload values;  // float32, little endian; one for each element of the cell
};

// Gradients of rows of a table.
struct RowContribution {
  uint32_t table = 0;
  uint64_t base_version = 0;
  Payload ids;     // uint64, little endian; ascending by (bucket, id)
  Payload values;  // float32, row-major [ids, dim]
};

// Rows of a table that are wanted.
struct RowPull {
  uint32_t table = 0;
  Payload ids;  // as those of RowContribution
  bool anchors = false;
};

enum class ClockEvent : uint32_t { kNone = 0, kJoin = 1, kLeave = 2, kLeaveLast = 3 };

struct ExchangeRequest {
  uint64_t job_id = 0;
  uint64_t generation = 0;
  uint64_t request_id = 0;
  uint32_t worker = 0;
  uint64_t session = 0;

  uint64_t step = 0;   // sync
  TreeNode node;       // sync
  uint64_t task = 0;   // async, ssp
  uint64_t batch = 0;  // async, ssp
  uint32_t examples = 0;
  bool final = false;
  absl::InlinedVector<Contribution, 2> contributions;

  absl::InlinedVector<uint32_t, 4> pull_cells;
  uint64_t pull_version = 0;
  bool pull_applied = false;
  absl::InlinedVector<uint32_t, 1> pull_anchors;

  uint64_t clock = 0;
  ClockEvent clock_event = ClockEvent::kNone;
  uint64_t completed_task = 0;

  std::vector<RowContribution> rows;
  std::vector<RowPull> pull_rows;

  bool has_push() const { return final || !contributions.empty() || !rows.empty(); }
  // Of what may have to wait.
  bool has_pull() const { return pull_applied || !pull_cells.empty() || !pull_rows.empty(); }
  // Bytes of gradient values.
  size_t payload_bytes() const;
};

struct CellValues {
  uint32_t cell = 0;
  uint64_t version = 0;
  Payload values;
};

struct RowValues {
  uint32_t table = 0;
  uint64_t version = 0;
  Payload values;  // float32, row-major [ids, dim], or with RowPull::anchors [ids, dim + anchors]
};

// How far versions had moved between pull and push, over some applied contributions.
struct Staleness {
  uint64_t count = 0, sum = 0, max = 0, min = 0;

  void Add(uint64_t staleness);
  void Merge(const Staleness& other);
};

struct ExchangeReply {
  uint64_t request_id = 0;
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string message;
  absl::InlinedVector<CellValues, 4> cells;
  std::vector<CellValues> anchors;  // of pull_anchors; without versions
  std::vector<RowValues> rows;
  bool retry_later = false;
  uint64_t expected_step = 0;
  Staleness staleness;
  bool step_gone = false;     // sync,backup
  uint64_t applied_step = 0;  // with pull_applied
};

// Encoded bytes: small pieces that the message owns, and payloads that it refers to.
class WireMessage {
 public:
  struct Piece {
    size_t begin = 0, end = 0;  // of header(), if there is no payload
    Payload payload;
  };

  // Bytes that are owned, added by the encoder.
  std::string& header() { return header_; }
  // Ends the current owned piece and refers to `payload` next.
  void AddPayload(const Payload& payload);
  // Ends the last owned piece; call once after the last byte.
  void Finish();

  const std::string& header() const { return header_; }
  std::span<const Piece> pieces() const { return pieces_; }
  size_t size() const { return header_.size() + payload_bytes_; }
  // One contiguous copy, for tests and simulations.
  std::string ToString() const;

 private:
  std::string header_;
  absl::InlinedVector<Piece, 3> pieces_;  // numbers, a payload, numbers
  size_t open_ = 0;
  size_t payload_bytes_ = 0;
};

WireMessage Encode(const ExchangeRequest& request);
WireMessage Encode(const ExchangeReply& reply);

// Payloads of the result refer to the bytes of `message` and keep its owner alive. Any field order,
// unknown fields, packed values in several pieces and unpacked values are accepted.
// InvalidArgument: not such a message; says at which byte.
absl::StatusOr<ExchangeRequest> DecodeRequest(const Payload& message);
absl::StatusOr<ExchangeReply> DecodeReply(const Payload& message);

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_EXCHANGE_H_
