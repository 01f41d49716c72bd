#include "ps/server_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/math/variable.h"
#include "common/optimizers/difference.h"
#include "common/optimizers/schedule.h"
#include "common/placement/ownership.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr uint32_t kNotHere = ~uint32_t{0};

Cell::Key KeyOf(const ExchangeRequest& request) {
  return {request.step, request.node, request.task, request.batch};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerCore>> ServerCore::Create(Options options, Placement placement) {
  auto core = std::unique_ptr<ServerCore>(new ServerCore(std::move(options), std::move(placement)));
  CONVOY_RETURN_IF_ERROR(core->MakeCells());
  return core;
}

ServerCore::ServerCore(Options options, Placement placement)
    : options_(std::move(options)),
      placement_(std::move(placement)),
      tree_(options_.slices),
      policy_(ConsistencyPolicy::For(options_.mode)),
      check_(options_.rank, options_.mode, &placement_, &tree_),
      pool_({.poison = options_.poison_buffers}),
      clocks_(options_.mode.bound) {}

absl::Status ServerCore::MakeCells() {
  Cell::Options common;
  common.policy = policy_;
  common.tree = &tree_;
  common.pool = &pool_;
  common.schedule = [this](uint64_t examples) {
    return ScheduleFactor(options_.optimizer.schedule(), examples, options_.epoch_examples, options_.total_examples);
  };
  common.stored_bytes = &stored_bytes_;
  // With backups nothing is added up before the step is complete: all slices that count are kept until then.
  const double budget = policy_.backup > 0 ? std::max<double>(options_.out_of_order_budget, options_.slices)
                                           : options_.out_of_order_budget;
  common.stored_bytes_budget = static_cast<int64_t>(
      budget * static_cast<double>(placement_.elements_of_server(options_.rank)) * sizeof(float));
  server_cell_ = std::make_unique<Cell>(common, AlignedBuffer());

  std::vector<double> learning_rates;
  for (const VariableSpec& variable : placement_.variables()) {
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings, SettingsFor(options_.optimizer, variable.name));
    CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> optimizer, MakeUpdate(settings));
    learning_rates.push_back(settings.learning_rate);
    optimizers_.push_back(std::move(optimizer));
  }
  local_.assign(placement_.cells().size(), kNotHere);
  for (uint32_t id : placement_.cells_of_server(options_.rank)) {
    const CellSpec& spec = placement_.cells()[id];
    Cell::Options cell_options = common;
    cell_options.optimizer = optimizers_[spec.variable].get();
    cell_options.base_learning_rate = learning_rates[spec.variable];
    AlignedBuffer initial(spec.size);
    InitializeValues(placement_.variables()[spec.variable], options_.seed, spec.offset, initial.span());
    local_[id] = static_cast<uint32_t>(cells_.size());
    cells_.push_back(std::make_unique<Cell>(cell_options, initial));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Optimizer>> ServerCore::MakeUpdate(const OptimizerSettings& settings) const {
  switch (policy_.update) {
    case ConsistencyPolicy::Update::kAverage: return MakeDifference(DifferenceRule::kAverage);
    case ConsistencyPolicy::Update::kAdd: return MakeDifference(DifferenceRule::kAdd);
    case ConsistencyPolicy::Update::kOptimizer: break;
  }
  return MakeOptimizer(settings);
}

void ServerCore::Handle(uint64_t stream, const ExchangeRequest& request, absl::Time now,
                        std::vector<Outgoing>* out) {
  ExchangeReply reply;
  reply.request_id = request.request_id;
  std::vector<ParkedPull> released;
  std::vector<std::shared_ptr<PullTicket>> clocked;
  Accepted accepted = Accepted::kAll;

  absl::Status status = CheckFence(request, now);
  if (status.ok()) status = check_.Push(request);
  if (status.ok()) status = check_.Pull(request);
  if (status.ok() && request.has_push()) {
    const absl::StatusOr<Accepted> pushed = Push(request, &reply, &released);
    status = pushed.status();
    if (pushed.ok()) accepted = *pushed;
  }
  if (status.ok() && accepted == Accepted::kRetryLater) {
    retries_.fetch_add(1);
    status = absl::ResourceExhaustedError("no room for gradients that come out of order; send again later");
    reply.retry_later = true;
  }
  if (status.ok()) {
    if (request.completed_task != 0) {
      for (const auto& cell : cells_) cell->ForgetTask(request.completed_task);
      server_cell_->ForgetTask(request.completed_task);
    }
    UpdateClock(request, &clocked);
  }

  for (const ParkedPull& pull : released) CountDown(*pull.ticket, 1, out);
  for (const auto& ticket : clocked) {
    for (size_t i = 0; i < ticket->reply.cells.size(); ++i) {
      ticket->Fill(i, cell(ticket->reply.cells[i].cell).Newest());
    }
    Answer(*ticket, out);
  }
  if (!status.ok()) {
    reply.code = status.code();
    reply.message = std::string(status.message());
    out->push_back({stream, std::move(reply)});
  } else {
    Pull(stream, request, now, std::move(reply), out);
  }
}

absl::Status ServerCore::CheckFence(const ExchangeRequest& request, absl::Time now) {
  if (request.job_id != options_.job_id) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "this server works for job %016x, the request is of job %016x; check the addresses", options_.job_id,
        request.job_id));
  }
  if (request.generation < options_.generation) {
    return absl::AbortedError(absl::StrCat("generation ", request.generation, " is over, now ", options_.generation));
  }
  if (request.generation > options_.generation) {
    return absl::UnavailableError(
        absl::StrCat("generation ", request.generation, " is not known yet, still ", options_.generation));
  }
  MutexLock lock(mutex_);
  Session& session = sessions_[request.worker];
  if (request.session < session.number) {
    return absl::AbortedError(absl::StrCat("worker ", request.worker, " has opened a newer stream (session ",
                                           session.number, ", this is ", request.session, ")"));
  }
  if (request.session > session.number) {
    session.number = request.session;
    session.refused.clear();
  }
  session.last_heard = now;
  return absl::OkStatus();
}

ServerCore::Session* ServerCore::CurrentSessionLocked(const ExchangeRequest& request) {
  Session& session = sessions_[request.worker];
  return session.number == request.session ? &session : nullptr;
}

absl::StatusOr<ServerCore::Accepted> ServerCore::Push(const ExchangeRequest& request, ExchangeReply* reply,
                                                      std::vector<ParkedPull>* released) {
  Accepted all = Accepted::kAll;
  for (const Contribution& contribution : request.contributions) {
    CONVOY_ASSIGN_OR_RETURN(const Accepted accepted, PushCell(request, contribution, reply, released));
    if (accepted == Accepted::kRetryLater) all = accepted;
  }
  if (reply->staleness.count > 0) {
    MutexLock lock(mutex_);
    staleness_.Merge(reply->staleness);
  }
  if (!request.final || all == Accepted::kRetryLater) return all;
  return FinishPush(request, reply, released);
}

absl::StatusOr<ServerCore::Accepted> ServerCore::PushCell(const ExchangeRequest& request, const Contribution& c,
                                                          ExchangeReply* reply,
                                                          std::vector<ParkedPull>* released) {
  const Cell::PushResult result = cell(c.cell).Push(KeyOf(request), c.base_version, c.values, request.examples, released);
  switch (result.outcome) {
    case Cell::Pushed::kApplied:
      if (policy_.apply == ConsistencyPolicy::Apply::kAtOnce) reply->staleness.Add(result.staleness);
      break;
    case Cell::Pushed::kStored: break;
    case Cell::Pushed::kDuplicate: duplicates_.fetch_add(1, std::memory_order_relaxed); break;
    case Cell::Pushed::kGap: return Gap(request, result.expected, reply);
    case Cell::Pushed::kOverBudget: break;
    case Cell::Pushed::kGone: reply->step_gone = true; break;
  }
  const bool over_budget = result.outcome == Cell::Pushed::kOverBudget;
  MutexLock lock(mutex_);
  if (Session* session = CurrentSessionLocked(request)) {
    const auto refused = std::make_pair(request.node, c.cell);
    if (over_budget) {
      session->refused.insert(refused);
    } else {
      session->refused.erase(refused);
    }
  }
  return over_budget ? Accepted::kRetryLater : Accepted::kAll;
}

// Cells that the push did not name get an empty contribution; those that were refused must come first.
absl::StatusOr<ServerCore::Accepted> ServerCore::FinishPush(const ExchangeRequest& request, ExchangeReply* reply,
                                                            std::vector<ParkedPull>* released) {
  {
    // Only those of this push: other slices of the worker may have to wait until this one is complete.
    MutexLock lock(mutex_);
    const Session* session = CurrentSessionLocked(request);
    if (session == nullptr) return absl::AbortedError(absl::StrCat("worker ", request.worker, " has opened a newer stream"));
    const auto first = session->refused.lower_bound({request.node, 0});
    if (first != session->refused.end() && first->first == request.node) return Accepted::kRetryLater;
  }
  const Cell::Key key = KeyOf(request);
  for (const auto& cell : cells_) cell->Push(key, 0, Payload(), request.examples, released);
  const Cell::PushResult result = server_cell_->Push(key, 0, Payload(), request.examples, released);
  if (result.outcome == Cell::Pushed::kGone) reply->step_gone = true;
  if (result.outcome == Cell::Pushed::kGap) return Gap(request, result.expected, reply);
  return Accepted::kAll;
}

absl::Status ServerCore::Gap(const ExchangeRequest& request, uint64_t expected, ExchangeReply* reply) const {
  reply->expected_step = expected;
  const std::string got = policy_.apply == ConsistencyPolicy::Apply::kRounds
                              ? absl::StrCat("step ", request.step)
                              : absl::StrCat("batch ", request.batch, " of task ", request.task);
  return absl::FailedPreconditionError(absl::StrCat("worker ", request.worker, " pushed ", got, ", server ",
                                                    options_.rank, " expects ", expected,
                                                    " next: send what is missing first"));
}

void ServerCore::UpdateClock(const ExchangeRequest& request, std::vector<std::shared_ptr<PullTicket>>* ready) {
  if (policy_.answer != ConsistencyPolicy::Answer::kClockBound) return;
  MutexLock lock(clock_mutex_);
  if (request.clock_event == ClockEvent::kJoin) clocks_.Join(request.worker, request.clock);
  if (request.clock_event == ClockEvent::kLeave) clocks_.Leave(request.worker);
  if (request.final) clocks_.Advance(request.worker, request.clock);
  const ClockTable* const clocks = &clocks_;
  std::erase_if(waiting_for_clock_, [&](const std::shared_ptr<PullTicket>& ticket) {
    if (!clocks->MayRead(ticket->worker)) return false;
    ready->push_back(ticket);
    return true;
  });
}

void ServerCore::Pull(uint64_t stream, const ExchangeRequest& request, absl::Time now, ExchangeReply reply,
                      std::vector<Outgoing>* out) {
  reply.cells.resize(request.pull_cells.size());
  for (size_t i = 0; i < request.pull_cells.size(); ++i) reply.cells[i].cell = request.pull_cells[i];
  const bool waits = request.has_pull() && request.pull_version != kNewestVersion;
  if (waits && ParkOnClock(stream, request, now, &reply)) return;

  std::shared_ptr<PullTicket> ticket;
  uint32_t done = 0;
  const auto pull = [&](Cell& cell, size_t index, uint32_t id) {
    const Cell::PullResult result = cell.Pull(request.pull_version, [&] {
      if (ticket == nullptr) ticket = MakeTicket(stream, request, now, &reply);
      return ParkedPull{ticket, index, 0};
    });
    if (result.outcome == Cell::Pulled::kGone) {
      return absl::FailedPreconditionError(absl::StrCat(
          "pull of ", id == kServerCell ? std::string("the server's step") : placement_.Describe(id), " at version ",
          request.pull_version, ": it is at ", result.current, " and remembers one step back"));
    }
    if (result.outcome == Cell::Pulled::kReady) {
      ++done;
      PullTicket::Fill(index, result.value, ticket == nullptr ? &reply : &ticket->reply);
    }
    return absl::OkStatus();
  };
  absl::Status status;
  for (size_t i = 0; i < request.pull_cells.size() && status.ok(); ++i) {
    status = pull(cell(request.pull_cells[i]), i, request.pull_cells[i]);
  }
  if (status.ok() && request.pull_applied) status = pull(*server_cell_, PullTicket::kNoValues, kServerCell);
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
    CountDown(*ticket, done + 1, out);   // 1: the guard of MakeTicket
  }
}

bool ServerCore::ParkOnClock(uint64_t stream, const ExchangeRequest& request, absl::Time now, ExchangeReply* reply) {
  if (policy_.answer != ConsistencyPolicy::Answer::kClockBound) return false;
  MutexLock lock(clock_mutex_);
  if (clocks_.MayRead(request.worker)) return false;
  waiting_for_clock_.push_back(MakeTicket(stream, request, now, reply));
  return true;
}

std::shared_ptr<PullTicket> ServerCore::MakeTicket(uint64_t stream, const ExchangeRequest& request, absl::Time now,
                                                   ExchangeReply* reply) {
  auto ticket = std::make_shared<PullTicket>();
  ticket->stream = stream;
  ticket->worker = request.worker;
  ticket->version = request.pull_version;
  ticket->since = now;
  ticket->deadline = now + options_.wait_timeout;
  ticket->reply = std::move(*reply);
  // One for each thing that is pulled, and one so that it is not sent before all are looked at.
  ticket->remaining = static_cast<uint32_t>(ticket->reply.cells.size()) + (request.pull_applied ? 1 : 0) + 1;
  MutexLock lock(mutex_);
  while (!parked_.empty() && parked_.front()->answered) parked_.pop_front();
  parked_.push_back(ticket);
  return ticket;
}

void ServerCore::CountDown(PullTicket& ticket, uint32_t by, std::vector<Outgoing>* out) {
  if (ticket.remaining.fetch_sub(by) == by) Answer(ticket, out);
}

void ServerCore::Answer(PullTicket& ticket, std::vector<Outgoing>* out) {
  if (!ticket.answered.exchange(true)) out->push_back({ticket.stream, std::move(ticket.reply)});
}

void ServerCore::OnStreamClosed(uint64_t stream) {
  MutexLock lock(mutex_);
  for (const auto& ticket : parked_) {
    if (ticket->stream == stream) ticket->answered = true;
  }
}

void ServerCore::Tick(absl::Time now, std::vector<Outgoing>* out) {
  std::vector<std::shared_ptr<PullTicket>> late;
  {
    MutexLock lock(mutex_);
    for (const auto& ticket : parked_) {
      if (ticket->deadline <= now && !ticket->answered.exchange(true)) late.push_back(ticket);
    }
  }
  for (const auto& ticket : late) {
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
                        ", the slowest, to come within ", policy_.bound, " batches of worker ", ticket.worker);
  }
  std::set<uint32_t> slices;
  for (const auto& cell : cells_) {
    if (cell->GetCounts().version >= ticket.version) continue;
    for (uint32_t slice : cell->MissingSlices()) slices.insert(slice);
  }
  if (server_cell_->GetCounts().version < ticket.version) {
    for (uint32_t slice : server_cell_->MissingSlices()) slices.insert(slice);
  }
  std::vector<std::string> missing;
  for (uint32_t slice : slices) {
    missing.push_back(absl::StrCat(
        "slice ", slice, " of ", DescribeWorker(OwnerOfSlice(slice, options_.workers, options_.slices), now)));
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
  stats.set_stored_bytes(static_cast<uint64_t>(stored_bytes_.load()));
  stats.set_examples(server_cell_->GetCounts().examples);
  uint64_t lowest = server_cell_->GetCounts().version, highest = lowest;
  uint64_t updates = 0, dropped = 0;
  for (const auto& cell : cells_) {
    const Cell::Counts counts = cell->GetCounts();
    updates += counts.updates;
    dropped += counts.dropped;
    lowest = std::min(lowest, counts.version);
    highest = std::max(highest, counts.version);
  }
  stats.set_dropped(dropped);
  stats.set_updates(updates);
  stats.set_min_version(lowest);
  stats.set_max_version(highest);
  MutexLock lock(mutex_);
  stats.set_staleness_count(staleness_.count);
  stats.set_staleness_sum(staleness_.sum);
  stats.set_staleness_max(staleness_.max);
  stats.set_staleness_min(staleness_.min);
  stats.set_parked(static_cast<uint32_t>(std::count_if(
      parked_.begin(), parked_.end(), [](const auto& ticket) { return !ticket->answered; })));
  return stats;
}

Cell::State ServerCore::CellState(uint32_t id) const {
  return (id == kServerCell ? *server_cell_ : *cells_[local_[id]]).GetState();
}

}  // namespace convoy
