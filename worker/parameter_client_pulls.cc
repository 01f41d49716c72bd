// The second part of ParameterClient: what is pulled, and what arrives.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/parameter_client.h"

namespace convoy {

absl::Status ParameterClient::PullAll(uint64_t version, ExchangeRequest header) {
  last_push_pulls_ = false;
  for (uint32_t server = 0; server < placement_.servers(); ++server) {
    ExchangeRequest request = header;
    request.pull_version = version;
    request.pull_applied = true;
    CONVOY_RETURN_IF_ERROR(
        SubmitPulls(server, std::move(request), placement_.cells_of_server(server)));
  }
  return absl::OkStatus();
}

// Replies of about one block each, so that they can be worked on as they come.
absl::Status ParameterClient::SubmitPulls(uint32_t server, ExchangeRequest&& request,
                                          std::span<const uint32_t> cells) {
  const auto bytes_of = [this](uint32_t cell) {
    return placement_.cells()[cell].size * sizeof(float);
  };
  const uint64_t version = request.pull_version;
  size_t bytes = 0;
  for (const uint32_t cell : request.pull_cells) bytes += bytes_of(cell);
  for (const uint32_t cell : cells) {
    const size_t size = bytes_of(cell);
    if (bytes > 0 && bytes + size > size_t{kBlockElements} * sizeof(float)) {
      CONVOY_RETURN_IF_ERROR(Submit(server, std::exchange(request, NewRequest())).status());
      request.pull_version = version;
      bytes = 0;
    }
    request.pull_cells.push_back(cell);
    bytes += size;
  }
  return Submit(server, std::move(request)).status();
}

absl::Status ParameterClient::PullAnchors(const std::vector<std::span<float>>& anchors) {
  anchors_ = anchors;
  for (const CellSpec& cell : placement_.cells()) {
    if (anchors_[cell.variable].empty()) continue;
    ExchangeRequest request;
    request.pull_anchors.push_back(cell.id);
    CONVOY_RETURN_IF_ERROR(Submit(cell.server, std::move(request)).status());
  }
  const absl::Status status = WaitUntilAnswered();
  anchors_.clear();
  return status;
}

absl::Status ParameterClient::OnCompleted(const ExchangeRequest& request,
                                          const ExchangeReply& reply) {
  if (reply.step_gone) gone_.emplace(request.step, request.node);
  staleness_.Merge(reply.staleness);
  if (request.pull_applied && request.pull_version == kNewestVersion) {
    lowest_step_ = std::min(lowest_step_, reply.applied_step);
  }
  for (const CellValues& values : reply.cells) CONVOY_RETURN_IF_ERROR(OnCell(values));
  for (const uint32_t cell : request.pull_anchors)
    CONVOY_RETURN_IF_ERROR(OnAnchors(placement_.cells()[cell], reply));
  return request.pull_rows.empty() ? absl::OkStatus() : OnRows(request, reply);
}

absl::Status ParameterClient::OnCell(const CellValues& values) {
  if (values.cell >= placement_.cells().size()) {
    return absl::InternalError(absl::StrCat("a server sent cell ", values.cell, ", the model has ",
                                            placement_.cells().size()));
  }
  const CellSpec& cell = placement_.cells()[values.cell];
  if (values.values.size() != cell.size * sizeof(float) || awaited_[cell.variable] == 0) {
    return absl::InternalError(absl::StrCat("a server sent ", values.values.size(), " bytes of ",
                                            placement_.Describe(cell.id), ", want ",
                                            cell.size * sizeof(float)));
  }
  weights_.Arrive(values);
  --awaited_[cell.variable];
  --awaited_in_all_;
  return absl::OkStatus();
}

absl::Status ParameterClient::OnAnchors(const CellSpec& cell, const ExchangeReply& reply) {
  const size_t want = cell.size * sizeof(float);
  const bool is_it = reply.anchors.size() == 1 && reply.anchors[0].cell == cell.id;
  const size_t got = is_it ? reply.anchors[0].values.size() : 0;
  if (got != want) {
    return absl::InternalError(absl::StrCat("a server sent ", got, " bytes of the anchors of ",
                                            placement_.Describe(cell.id), ", want ", want));
  }
  reply.anchors[0].values.CopyTo(anchors_[cell.variable].data() + cell.offset);
  return absl::OkStatus();
}

absl::Status ParameterClient::OnRows(const ExchangeRequest& request, const ExchangeReply& reply) {
  const auto pull = row_pulls_.find(request.request_id);
  if (pull == row_pulls_.end() || reply.rows.size() != 1) {
    return absl::InternalError(
        absl::StrCat("a server sent rows of ", reply.rows.size(), " tables, want 1"));
  }
  const auto [batch, i] = std::move(pull->second);
  row_pulls_.erase(pull);
  const size_t want = batch->value_bytes(batch->parts()[i]);
  if (reply.rows[0].values.size() != want) {
    return absl::InternalError(
        absl::StrCat("a server sent ", reply.rows[0].values.size(), " bytes of rows of \"",
                     placement_.tables()[batch->table()].name, "\", want ", want));
  }
  batch->Arrive(i, reply.rows[0].version, reply.rows[0].values);
  return absl::OkStatus();
}

}  // namespace convoy
