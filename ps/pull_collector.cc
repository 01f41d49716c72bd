#include "ps/pull_collector.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "ps/table/bucket_walk.h"

namespace convoy {
namespace {

constexpr uint32_t kServerCell = ~uint32_t{0};

}  // namespace

PullCollector::PullCollector(const ExchangeRequest& request, const Placement& placement,
                             const Shard& shard, std::vector<RowIds> pulled, ExchangeReply* reply,
                             MakeTicket make_ticket)
    : request_(request),
      placement_(placement),
      shard_(shard),
      reply_(reply),
      make_ticket_(std::move(make_ticket)) {
  reply->cells.resize(request.pull_cells.size());
  for (size_t i = 0; i < request.pull_cells.size(); ++i)
    reply->cells[i].cell = request.pull_cells[i];
  for (size_t i = 0; i < pulled.size(); ++i) {
    const RowPull& pull = request.pull_rows[i];
    const TableShard& table = shard.table(pull.table);
    const RowPlaces& rows = rows_.emplace_back(
        pull.table, pull.anchors ? table.anchored_dim() : table.dim(), std::move(pulled[i]));
    reply->rows.push_back({pull.table, request.pull_version, rows.payload()});
  }
  for (const uint32_t cell : request.pull_anchors) {
    reply->anchors.push_back({cell, 0, shard.cell(cell).Anchors()});
  }
}

absl::Status PullCollector::Collect() {
  for (size_t i = 0; i < request_.pull_cells.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(
        CollectCell(shard_.cell(request_.pull_cells[i]), i, request_.pull_cells[i]));
  }
  for (size_t i = 0; i < request_.pull_rows.size(); ++i) CONVOY_RETURN_IF_ERROR(CollectRows(i));
  if (!request_.pull_applied) return absl::OkStatus();
  return CollectCell(shard_.server_cell(), PullTicket::kNoValues, kServerCell);
}

absl::Status PullCollector::CollectCell(Cell& cell, size_t index, uint32_t id) {
  const Cell::PullResult result = cell.Pull(request_.pull_version, [&] {
    return ParkedPull{Ticket(), index, 0};
  });
  if (result.outcome == Cell::Pulled::kGone) {
    return Gone(id == kServerCell ? "the server's step" : placement_.Describe(id), result.current);
  }
  if (result.outcome == Cell::Pulled::kReady) {
    ++done_;
    PullTicket::Fill(index, result.value, reply());
  }
  return absl::OkStatus();
}

absl::Status PullCollector::CollectRows(size_t index) {
  uint64_t version = kNewestVersion;
  // A ticket takes the places over; what they refer to stays.
  const RowPlaces& places = (ticket_ == nullptr ? rows_ : ticket_->rows)[index];
  const uint32_t table = places.table, columns = places.columns;
  const RowIds& ids = places.ids;
  float* const values = places.values.get();
  BucketWalk walk(&shard_.table(table), ids, request_.pull_version);
  for (const BucketRun& run : ids.runs) {
    walk.Next();
    const TableBucket::PullResult result =
        walk.Pull({values + run.begin * columns, columns}, [&] { return Parked(); });
    if (result.outcome == TableBucket::Pulled::kGone) {
      return Gone(absl::StrCat("\"", placement_.tables()[table].name, "\" bucket ", run.bucket),
                  result.version);
    }
    if (result.outcome == TableBucket::Pulled::kParked) continue;
    ++done_;
    version = std::min(version, result.version);
  }
  if (ticket_ == nullptr && version != kNewestVersion) reply_->rows[index].version = version;
  return absl::OkStatus();
}

ParkedRows PullCollector::Parked() {
  ParkedRows parked;
  parked.ticket = Ticket();
  return parked;
}

absl::Status PullCollector::Gone(const std::string& what, uint64_t now) const {
  const bool was_restored = request_.pull_version + 1 == now;  // or it would be there
  return absl::FailedPreconditionError(
      absl::StrCat("pull of ", what, " at version ", request_.pull_version, ": it is at ", now,
                   was_restored ? ", which it was restored at, and remembers nothing before"
                                : " and remembers one step back"));
}

const std::shared_ptr<PullTicket>& PullCollector::Ticket() {
  if (ticket_ == nullptr) ticket_ = make_ticket_(reply_, &rows_);
  return ticket_;
}

}  // namespace convoy
