#include "ps/server_core.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/placement/ownership.h"
#include "common/status.h"
#include "ps/pull_collector.h"

namespace convoy {
namespace {

absl::Status OtherJob(uint64_t mine, uint64_t theirs) {
  return absl::FailedPreconditionError(absl::StrFormat(
      "this server works for job %016x, the request is of job %016x; check the addresses", mine,
      theirs));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerCore>> ServerCore::Create(Options options,
                                                               Placement placement) {
  auto core = std::unique_ptr<ServerCore>(new ServerCore(std::move(options), std::move(placement)));
  CONVOY_ASSIGN_OR_RETURN(core->shard_, Shard::Create(core->options_, &core->placement_));
  core->check_ = std::make_unique<RequestCheck>(core->options_.rank, core->options_.mode,
                                                &core->placement_, &core->shard_->tree());
  return core;
}

ServerCore::ServerCore(Options options, Placement placement)
    : options_(std::move(options)),
      placement_(std::move(placement)),
      policy_(ConsistencyPolicy::For(options_.mode)),
      waiting_(options_.wait_timeout),
      clocks_(options_.mode.bound) {}

void ServerCore::Handle(uint64_t stream, const ExchangeRequest& request, absl::Time now,
                        std::vector<Outgoing>* out) {
  ExchangeReply reply;
  reply.request_id = request.request_id;
  Released released;
  std::vector<std::shared_ptr<PullTicket>> clocked;
  Accepted accepted = Accepted::kAll;

  absl::Status status = CheckFence(request, now);
  std::vector<RowIds> pushed, pulled;
  if (status.ok()) {
    for (const RowContribution& rows : request.rows) pushed.emplace_back(rows.ids);
    for (const RowPull& rows : request.pull_rows) pulled.emplace_back(rows.ids);
    status = check_->Push(request, pushed);
  }
  if (status.ok()) status = check_->Pull(request, pulled);
  if (status.ok() && request.has_push()) {
    shard_->Advance(now);
    const absl::StatusOr<Accepted> result = Push(request, std::move(pushed), &reply, &released);
    status = result.status();
    if (result.ok()) accepted = *result;
  }
  if (status.ok() && accepted == Accepted::kRetryLater) {
    retries_.fetch_add(1);
    status = absl::ResourceExhaustedError(
        "no room for gradients that come out of order; send again later");
    reply.retry_later = true;
  }
  if (status.ok()) {
    if (request.completed_task != 0) shard_->CompleteTask(request.completed_task);
    UpdateClock(request, &clocked);
  }

  for (const ParkedPull& pull : released.cells) CountDown(*pull.ticket, 1, out);
  for (const ParkedRows& pull : released.rows) CountDown(*pull.ticket, 1, out);
  for (const auto& ticket : clocked) {
    FillNewest(*ticket);
    Answer(*ticket, out);
  }
  if (!status.ok()) {
    reply.code = status.code();
    reply.message = std::string(status.message());
    out->push_back({stream, std::move(reply)});
  } else {
    Pull(stream, request, std::move(pulled), now, std::move(reply), out);
  }
}

absl::Status ServerCore::CheckFence(const ExchangeRequest& request, absl::Time now) {
  if (request.job_id != options_.job_id) return OtherJob(options_.job_id, request.job_id);
  if (request.generation < options_.generation) {
    return absl::AbortedError(
        absl::StrCat("generation ", request.generation, " is over, now ", options_.generation));
  }
  if (request.generation > options_.generation) {
    return absl::UnavailableError(absl::StrCat("generation ", request.generation,
                                               " is not known yet, still ", options_.generation));
  }
  MutexLock lock(mutex_);
  Session& session = sessions_[request.worker];
  if (request.session < session.number) {
    return absl::AbortedError(absl::StrCat(
        "worker ", request.worker, " has opened a newer stream (session ", session.number,
        ", this is ", request.session, "), or another process has taken its place"));
  }
  if (request.session > session.number) {
    session.number = request.session;
    session.refused.clear();
    session.row_bytes = 0;
  }
  session.last_heard = now;
  return absl::OkStatus();
}

void ServerCore::LeaveLast(const ExchangeRequest& request) {
  const auto rank = static_cast<uint32_t>(
      std::min<uint64_t>(request.clock, std::numeric_limits<uint32_t>::max()));
  if (request.session > left_before_) {
    left_before_ = request.session;
    left_from_ = rank;
  }
  MutexLock lock(mutex_);
  for (const uint32_t worker : clocks_.JoinedFrom(rank)) {
    Session& session = sessions_[worker];
    if (session.number >= request.session) continue;
    session.number = request.session;
    clocks_.Leave(worker);
  }
}

void ServerCore::UpdateClock(const ExchangeRequest& request,
                             std::vector<std::shared_ptr<PullTicket>>* ready) {
  if (policy_.answer != ConsistencyPolicy::Answer::kClockBound) return;
  MutexLock lock(clock_mutex_);
  const bool has_left = request.worker >= left_from_ && request.session < left_before_;
  if (request.clock_event == ClockEvent::kJoin && !has_left) {
    clocks_.Join(request.worker, request.clock);
  }
  if (request.clock_event >= ClockEvent::kLeave) clocks_.Leave(request.worker);
  if (request.clock_event == ClockEvent::kLeaveLast) LeaveLast(request);
  if (request.final) clocks_.Advance(request.worker, request.clock);
  const ClockTable* const clocks = &clocks_;
  std::erase_if(waiting_for_clock_, [&](const std::shared_ptr<PullTicket>& ticket) {
    if (!clocks->MayRead(ticket->worker)) return false;
    ready->push_back(ticket);
    return true;
  });
}

void ServerCore::FillNewest(PullTicket& ticket) const {
  for (size_t i = 0; i < ticket.reply.cells.size(); ++i) {
    ticket.Fill(i, shard_->cell(ticket.reply.cells[i].cell).Newest());
  }
  for (size_t i = 0; i < ticket.rows.size(); ++i) {
    const RowPlaces& rows = ticket.rows[i];
    uint64_t version = kNewestVersion;
    for (const BucketRun& run : rows.ids.runs) {
      TableBucket& bucket = shard_->table(rows.table).bucket(run.bucket);
      version = std::min(version, bucket.Newest(rows.ids.of(run), rows.out_of(run)));
    }
    ticket.reply.rows[i].version = version;
  }
}

void ServerCore::Pull(uint64_t stream, const ExchangeRequest& request, std::vector<RowIds> pulled,
                      absl::Time now, ExchangeReply reply, std::vector<Outgoing>* out) {
  PullCollector collector(request, placement_, *shard_, std::move(pulled), &reply,
                          [&](ExchangeReply* taken, std::vector<RowPlaces>* rows) {
                            return waiting_.Add(stream, request, now, taken, rows);
                          });
  const bool waits = request.has_pull() && request.pull_version != kNewestVersion;
  if (waits && ParkOnClock(stream, request, now, &reply, collector.rows())) return;

  const absl::Status status = collector.Collect();
  const std::shared_ptr<PullTicket>& ticket = collector.ticket();
  if (!status.ok()) {
    if (ticket != nullptr && ticket->answered.exchange(true)) return;
    ExchangeReply failed;
    failed.request_id = request.request_id;
    failed.code = status.code();
    failed.message = std::string(status.message());
    out->push_back({stream, std::move(failed)});
    return;
  }
  if (ticket == nullptr) {
    out->push_back({stream, std::move(reply)});
  } else {
    CountDown(*ticket, collector.done() + 1, out);  // 1: see WaitingPulls::Add
  }
}

bool ServerCore::ParkOnClock(uint64_t stream, const ExchangeRequest& request, absl::Time now,
                             ExchangeReply* reply, std::vector<RowPlaces>* rows) {
  if (policy_.answer != ConsistencyPolicy::Answer::kClockBound) return false;
  MutexLock lock(clock_mutex_);
  if (clocks_.MayRead(request.worker)) return false;
  waiting_for_clock_.push_back(waiting_.Add(stream, request, now, reply, rows));
  return true;
}

void ServerCore::CountDown(PullTicket& ticket, uint32_t by, std::vector<Outgoing>* out) {
  if (ticket.remaining.fetch_sub(by) == by) Answer(ticket, out);
}

void ServerCore::Answer(PullTicket& ticket, std::vector<Outgoing>* out) {
  if (!ticket.answered.exchange(true)) out->push_back({ticket.stream, std::move(ticket.reply)});
}

void ServerCore::Tick(absl::Time now, std::vector<Outgoing>* out) {
  for (const auto& ticket : waiting_.TakeLate(now)) {
    ExchangeReply reply;
    reply.request_id = ticket->reply.request_id;
    reply.code = absl::StatusCode::kDeadlineExceeded;
    reply.message = Describe(*ticket, now);
    out->push_back({ticket->stream, std::move(reply)});
  }
}

std::string ServerCore::Describe(const PullTicket& ticket, absl::Time now) const {
  const std::string waited = absl::StrFormat("server %d waited %.1f s", options_.rank,
                                             absl::ToDoubleSeconds(now - ticket.since));
  if (policy_.answer == ConsistencyPolicy::Answer::kClockBound) {
    MutexLock lock(clock_mutex_);
    const std::optional<uint32_t> slowest = clocks_.Slowest();
    return absl::StrCat(waited, " for ", slowest ? DescribeWorker(*slowest, now) : "no worker",
                        ", the slowest, to come within ", policy_.bound, " batches of worker ",
                        ticket.worker);
  }
  const std::set<uint32_t> slices = shard_->MissingSlices(ticket.version);
  std::vector<std::string> missing;
  for (uint32_t slice : slices) {
    missing.push_back(
        absl::StrCat("slice ", slice, " of ",
                     DescribeWorker(OwnerOfSlice(slice, options_.workers, options_.slices), now)));
  }
  return absl::StrCat(waited, " at step ", ticket.version == 0 ? 0 : ticket.version - 1, " for ",
                      absl::StrJoin(missing, ", "));
}

std::string ServerCore::DescribeWorker(uint32_t worker, absl::Time now) const {
  MutexLock lock(mutex_);
  const auto session = sessions_.find(worker);
  if (session == sessions_.end()) return absl::StrCat("worker ", worker, " (never heard of)");
  return absl::StrFormat("worker %d (last heard %.1f s ago)", worker,
                         absl::ToDoubleSeconds(now - session->second.last_heard));
}

v1::ServerStats ServerCore::Stats() const {
  v1::ServerStats stats;
  stats.set_duplicates(duplicates_);
  stats.set_retry_later(retries_);
  stats.set_parked(static_cast<uint32_t>(waiting_.count()));
  shard_->AddStats(&stats);
  for (size_t i = 0; i < kStalenessBuckets; ++i) {
    const uint64_t count = staleness_histogram_.count(i);
    if (count == 0) continue;
    while (stats.staleness_histogram_size() < static_cast<int>(i)) stats.add_staleness_histogram(0);
    stats.add_staleness_histogram(count);
  }
  MutexLock lock(mutex_);
  stats.set_staleness_count(staleness_.count);
  stats.set_staleness_sum(staleness_.sum);
  stats.set_staleness_max(staleness_.max);
  stats.set_staleness_min(staleness_.min);
  return stats;
}

absl::StatusOr<v1::ReadTableReply> ServerCore::ReadTable(
    const v1::ReadTableRequest& request) const {
  if (request.job_id() != options_.job_id) return OtherJob(options_.job_id, request.job_id());
  if (request.table() >= placement_.tables().size() || request.bucket() >= kTableBuckets ||
      placement_.server_of_bucket(request.bucket()) != options_.rank) {
    return absl::FailedPreconditionError(absl::StrCat(
        "bucket ", request.bucket(), " of table ", request.table(), " is not on server ",
        options_.rank, " of ", placement_.servers(), ": the model has ", placement_.tables().size(),
        " tables of ", kTableBuckets, " buckets, which are on the servers in turn"));
  }
  std::vector<uint64_t> ids;
  std::vector<float> values;
  shard_->table(request.table()).bucket(request.bucket()).Export(&ids, &values);
  v1::ReadTableReply reply;
  reply.set_rows(ids.size());
  if (request.count_only()) return reply;
  reply.mutable_ids()->Add(ids.begin(), ids.end());
  reply.mutable_values()->Add(values.begin(), values.end());
  return reply;
}

Cell::State ServerCore::CellState(uint32_t id) const {
  return (id == kServerCell ? shard_->server_cell() : shard_->cell(id)).GetState();
}

}  // namespace convoy
