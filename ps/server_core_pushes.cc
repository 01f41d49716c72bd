// The second part of ServerCore: what a push does to cells and buckets.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "ps/server_core.h"

namespace convoy {
namespace {

Cell::Key KeyOf(const ExchangeRequest& request) {
  return {request.step, request.node, request.task, request.batch};
}

}  // namespace

ServerCore::Session* ServerCore::CurrentSessionLocked(const ExchangeRequest& request) {
  Session& session = sessions_[request.worker];
  return session.number == request.session ? &session : nullptr;
}

absl::StatusOr<ServerCore::Accepted> ServerCore::Push(const ExchangeRequest& request,
                                                      std::vector<RowIds> pushed,
                                                      ExchangeReply* reply, Released* released) {
  if (policy_.apply == ConsistencyPolicy::Apply::kAtOnce && shard_->IsComplete(request.task)) {
    // A task that is done again after a restore, from its first batch.
    duplicates_.fetch_add(1, std::memory_order_relaxed);
    return Accepted::kAll;
  }
  Accepted all = Accepted::kAll;
  for (const Contribution& c : request.contributions) {
    const PushResult result = shard_->cell(c.cell).Push(KeyOf(request), c.base_version, c.values,
                                                        request.examples, &released->cells);
    CONVOY_ASSIGN_OR_RETURN(const Accepted accepted, Count(request, c.cell, result, reply));
    if (accepted == Accepted::kRetryLater) all = accepted;
  }
  if (policy_.apply == ConsistencyPolicy::Apply::kRounds) CountRows(request);
  for (size_t i = 0; i < request.rows.size(); ++i) {
    CONVOY_ASSIGN_OR_RETURN(
        const Accepted accepted,
        PushRows(request, request.rows[i], std::move(pushed[i]), reply, released));
    if (accepted == Accepted::kRetryLater) all = accepted;
  }
  if (reply->staleness.count > 0) {
    MutexLock lock(mutex_);
    staleness_.Merge(reply->staleness);
  }
  if (!request.final || all == Accepted::kRetryLater) return all;
  return FinishPush(request, reply, released);
}

void ServerCore::CountRows(const ExchangeRequest& request) {
  size_t bytes = 0;
  for (const RowContribution& rows : request.rows) bytes += rows.values.size();
  MutexLock lock(mutex_);
  Session* const session = CurrentSessionLocked(request);
  if (session == nullptr) return;
  session->row_bytes += bytes;
  shard_->SawRows(session->row_bytes);
  if (request.final) session->row_bytes = 0;
}

absl::StatusOr<ServerCore::Accepted> ServerCore::PushRows(const ExchangeRequest& request,
                                                          const RowContribution& rows, RowIds ids,
                                                          ExchangeReply* reply,
                                                          Released* released) {
  const auto first = static_cast<uint32_t>(placement_.cells().size()) + rows.table * kTableBuckets;
  absl::StatusOr<Accepted> all = Accepted::kAll;
  shard_->table(rows.table)
      .Push(KeyOf(request), rows.base_version, std::move(ids), rows.values, request.examples,
            &released->rows, [&](uint32_t bucket, const PushResult& result) {
              const absl::StatusOr<Accepted> accepted =
                  Count(request, first + bucket, result, reply);
              if (!accepted.ok() || *accepted == Accepted::kRetryLater) all = accepted;
              return accepted.ok();
            });
  return all;
}

absl::StatusOr<ServerCore::Accepted> ServerCore::Count(const ExchangeRequest& request,
                                                       uint32_t number, const PushResult& result,
                                                       ExchangeReply* reply) {
  switch (result.outcome) {
    case Pushed::kApplied:
      if (policy_.apply == ConsistencyPolicy::Apply::kAtOnce) {
        reply->staleness.Add(result.staleness);
        staleness_histogram_.Add(result.staleness);
      }
      break;
    case Pushed::kStored:
      break;
    case Pushed::kDuplicate:
      duplicates_.fetch_add(1, std::memory_order_relaxed);
      break;
    case Pushed::kGap:
      return Gap(request, result.expected, reply);
    case Pushed::kOverBudget:
      break;
    case Pushed::kGone:
      reply->step_gone = true;
      break;
  }
  if (policy_.apply == ConsistencyPolicy::Apply::kAtOnce)
    return Accepted::kAll;  // nothing is refused
  const bool over_budget = result.outcome == Pushed::kOverBudget;
  MutexLock lock(mutex_);
  if (Session* session = CurrentSessionLocked(request)) {
    const auto refused = std::make_pair(request.node, number);
    if (over_budget) {
      session->refused.insert(refused);
    } else {
      session->refused.erase(refused);
    }
  }
  return over_budget ? Accepted::kRetryLater : Accepted::kAll;
}

// Cells that the push did not name get an empty contribution; those that were refused must come
// first.
absl::StatusOr<ServerCore::Accepted> ServerCore::FinishPush(const ExchangeRequest& request,
                                                            ExchangeReply* reply,
                                                            Released* released) {
  {
    // Only those of this push: other slices of the worker may have to wait until this one is
    // complete.
    MutexLock lock(mutex_);
    const Session* session = CurrentSessionLocked(request);
    if (session == nullptr)
      return absl::AbortedError(
          absl::StrCat("worker ", request.worker, " has opened a newer stream"));
    const auto first = session->refused.lower_bound({request.node, 0});
    if (first != session->refused.end() && first->first == request.node)
      return Accepted::kRetryLater;
  }
  const PushResult result =
      shard_->FinishPush(KeyOf(request), request.examples, &released->cells, &released->rows);
  if (result.outcome == Pushed::kGone) reply->step_gone = true;
  if (result.outcome == Pushed::kGap) return Gap(request, result.expected, reply);
  return Accepted::kAll;
}

absl::Status ServerCore::Gap(const ExchangeRequest& request, uint64_t expected,
                             ExchangeReply* reply) const {
  reply->expected_step = expected;
  const std::string got = policy_.apply == ConsistencyPolicy::Apply::kRounds
                              ? absl::StrCat("step ", request.step)
                              : absl::StrCat("batch ", request.batch, " of task ", request.task);
  return absl::FailedPreconditionError(absl::StrCat("worker ", request.worker, " pushed ", got,
                                                    ", server ", options_.rank, " expects ",
                                                    expected, " next: send what is missing first"));
}

}  // namespace convoy
