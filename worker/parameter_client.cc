#include "worker/parameter_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/net/wire_checksum.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr char kMethod[] = "/convoy.v1.ParameterServer/Exchange";
// Of gradient between two looks at whether more of it can leave, and at what has come: what is
// answered need not be kept any longer, on either side.
constexpr size_t kSendBytes = size_t{256} << 10;
constexpr size_t kPollBytes = size_t{1} << 20;
constexpr absl::Duration kLookUp =
    absl::Milliseconds(100);  // longest time between two looks at `interrupted`

ClientCore::Options CoreOptions(const ParameterClient::Options& options) {
  ClientCore::Options core;
  core.job_id = options.job_id;
  core.generation = options.generation;
  core.worker = options.worker;
  core.first_session = options.first_session;
  core.servers = options.servers;
  core.mode = options.mode;
  core.in_flight_bytes = options.in_flight_bytes;
  core.give_up_after = options.give_up_after;
  core.answer_timeout = options.wait_timeout + absl::Seconds(10);
  return core;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ParameterClient>> ParameterClient::Connect(Options options,
                                                                          Placement placement) {
  auto client = std::unique_ptr<ParameterClient>(
      new ParameterClient(std::move(options), std::move(placement)));
  client->streams_.SetLink(client->options_.link);
  ClientCore::Actions actions;
  client->core_.Start(SteadyNow(), &actions);
  CONVOY_RETURN_IF_ERROR(client->Perform(actions));
  CONVOY_RETURN_IF_ERROR(client->WaitUntil([&] { return client->core_.connected(); }));
  client->connected_at_ = SteadyNow();
  client->waited_ = absl::ZeroDuration();
  return client;
}

ParameterClient::ParameterClient(Options options, Placement placement)
    : options_(std::move(options)),
      placement_(std::move(placement)),
      core_(CoreOptions(options_)),
      streams_(kMethod, options_.spin),
      weights_(&placement_, options_.overlap),
      awaited_(placement_.variables().size()),
      pushed_to_(placement_.variables().size()),
      pull_asked_(placement_.cells().size()),
      pending_(placement_.servers()),
      sent_to_(placement_.servers()),
      damage_(placement_.servers()) {}

// Twice: a worker that was wrongly thought lost goes on where this one has not been heard of yet,
// and could be two steps on when the last server answers.
absl::StatusOr<uint64_t> ParameterClient::AskForStep() {
  CONVOY_RETURN_IF_ERROR(AskOnceForStep().status());
  return AskOnceForStep();
}

absl::StatusOr<uint64_t> ParameterClient::AskOnceForStep() {
  lowest_step_ = kNewestVersion;
  for (uint32_t server = 0; server < placement_.servers(); ++server) {
    ExchangeRequest request = NewRequest();
    request.pull_version = kNewestVersion;
    request.pull_applied = true;
    CONVOY_RETURN_IF_ERROR(Submit(server, std::move(request)).status());
  }
  CONVOY_RETURN_IF_ERROR(WaitUntilAnswered());
  return lowest_step_;
}

absl::StatusOr<std::span<const float>> ParameterClient::Weights(uint32_t variable) {
  const bool pulled_again =
      options_.overlap && last_push_pulls_ && !options_.frozen.variable(variable);
  const size_t under_way =
      pulled_again ? placement_.cells_of_variable(variable).size() : 0;  // may be
  if (options_.overlap) CONVOY_RETURN_IF_ERROR(Poll());
  if (awaited_[variable] > under_way) {
    CONVOY_RETURN_IF_ERROR(WaitUntil([&] { return awaited_[variable] <= under_way; }));
  }
  return weights_.Show(variable);
}

absl::Status ParameterClient::WaitForWeights() {
  return WaitUntil([this] { return awaited_in_all_ == 0; });
}

absl::Status ParameterClient::PullRows(const std::shared_ptr<TableBatch>& batch, uint64_t version) {
  for (size_t i = 0; i < batch->parts().size(); ++i) {
    const TableBatch::Part& part = batch->parts()[i];
    ExchangeRequest request;
    request.pull_version = version;
    request.pull_rows.push_back({batch->table(), batch->Ids(part), batch->anchors() > 0});
    CONVOY_ASSIGN_OR_RETURN(const uint64_t id, Submit(part.server, std::move(request)));
    row_pulls_[id] = {batch, i};
  }
  return absl::OkStatus();
}

absl::Status ParameterClient::WaitForRows(const TableBatch& batch) {
  return WaitUntil([&batch] { return batch.awaited() == 0; });
}

absl::Status ParameterClient::PushRows(TableBatch& batch) {
  for (const TableBatch::Part& part : batch.parts()) {
    Pending& pending = pending_[part.server];
    pending.request.rows.push_back(
        {batch.table(), part.version, batch.Ids(part), batch.Gradients(part)});
    pending.bytes += batch.gradient_bytes(part);
    if (pending.bytes >= options_.coalesce_bytes)
      CONVOY_RETURN_IF_ERROR(FlushPending(part.server, false));
  }
  for (uint32_t server = 0; server < pending_.size(); ++server) {
    ++pending_[server].named;
    if (IsComplete(server)) CONVOY_RETURN_IF_ERROR(FlushPending(server, true));
  }
  return PollUntilSent();
}

bool ParameterClient::IsComplete(uint32_t server) const {
  return pending_[server].named ==
         placement_.cells_of_server(server).size() + placement_.tables().size();
}

absl::Status ParameterClient::BeginPush(const PushHeader& header) {
  push_ = header;
  std::fill(pushed_to_.begin(), pushed_to_.end(), 0);
  std::fill(pull_asked_.begin(), pull_asked_.end(), false);
  for (uint32_t server = 0; server < pending_.size(); ++server) {
    pending_[server] = {.request = NewRequest(), .named = Frozen(server)};
  }
  return absl::OkStatus();
}

size_t ParameterClient::Frozen(uint32_t server) const {
  if (!options_.frozen.any()) return 0;
  const std::span<const uint32_t> cells = placement_.cells_of_server(server);
  const auto tables = std::ranges::count(options_.frozen.tables, true);
  return static_cast<size_t>(tables + std::ranges::count_if(cells, [&](uint32_t cell) {
                               return options_.frozen.variable(placement_.cells()[cell].variable);
                             }));
}

ExchangeRequest ParameterClient::NewRequest() const {
  ExchangeRequest request;
  request.step = push_.step;
  request.node = push_.node;
  request.task = push_.task;
  request.batch = push_.batch;
  request.examples = push_.examples;
  request.clock = push_.clock;
  return request;
}

absl::Status ParameterClient::PushUpTo(uint32_t variable, int64_t end,
                                       std::span<const float> gradient,
                                       const std::shared_ptr<const void>& owner) {
  int64_t& done = pushed_to_[variable];
  const std::span<const CellSpec> cells = placement_.cells_of_variable(variable);
  while (done < static_cast<int64_t>(gradient.size())) {
    const CellSpec& cell = cells[static_cast<size_t>(done / kBlockElements)];
    if (cell.offset + cell.size > end) break;
    done = cell.offset + cell.size;
    AddToPending(cell, gradient, owner);
    const Pending& pending = pending_[cell.server];
    const bool all = IsComplete(cell.server);
    if (all || pending.bytes >= options_.coalesce_bytes)
      CONVOY_RETURN_IF_ERROR(FlushPending(cell.server, all));
  }
  if (unpolled_bytes_ >= kPollBytes) return Poll();
  return unsent_bytes_ >= kSendBytes ? PollUntilSent() : absl::OkStatus();
}

void ParameterClient::AddToPending(const CellSpec& cell, std::span<const float> gradient,
                                   const std::shared_ptr<const void>& owner) {
  Pending& pending = pending_[cell.server];
  const std::span<const float> values =
      gradient.subspan(static_cast<size_t>(cell.offset), cell.size);
  pending.request.contributions.push_back(
      {cell.id, weights_.version(cell.id), Payload(values, owner)});
  // ssp: a server counts the batch with its last message. Whoever is far ahead waits from then on,
  // and what was pulled with the messages before would be answered one batch too early.
  if (push_.pull && options_.mode.kind != Mode::Kind::kSsp) {
    pending.request.pull_cells.push_back(cell.id);
    pull_asked_[cell.id] = true;
  }
  pending.bytes += values.size_bytes();
  unsent_bytes_ += values.size_bytes();
  unpolled_bytes_ += values.size_bytes();
  ++pending.named;
}

absl::Status ParameterClient::FlushPending(uint32_t server, bool final) {
  Pending& pending = pending_[server];
  ExchangeRequest request = std::exchange(pending.request, NewRequest());
  pending.bytes = 0;
  pending.finished = final;
  request.final = final;
  if (push_.pull) request.pull_version = push_.step + 1;
  std::vector<uint32_t> unasked;  // cells without a gradient
  if (final) {
    request.pull_applied = push_.pull;
    if (!completed_tasks_.empty()) request.completed_task = completed_tasks_.front();
    for (uint32_t cell : placement_.cells_of_server(server)) {
      const bool changes = !options_.frozen.variable(placement_.cells()[cell].variable);
      if (push_.pull && !pull_asked_[cell] && changes) unasked.push_back(cell);
    }
  }
  return SubmitPulls(server, std::move(request), unasked);
}

void ParameterClient::RemoveExamples(uint32_t examples) {
  push_.examples -= examples;
  for (Pending& pending : pending_) pending.request.examples = push_.examples;
}

absl::Status ParameterClient::EndPush() {
  for (uint32_t server = 0; server < pending_.size(); ++server) {
    if (!pending_[server].finished) CONVOY_RETURN_IF_ERROR(FlushPending(server, true));
  }
  if (!completed_tasks_.empty()) completed_tasks_.pop_front();
  last_push_pulls_ = push_.pull;
  return PollUntilSent();
}

absl::Status ParameterClient::WaitUntilAnswered() {
  return WaitUntil([this] { return core_.idle(); });
}

absl::Status ParameterClient::LeaveClocks(ClockEvent event, uint32_t workers) {
  for (uint32_t server = 0; server < placement_.servers(); ++server) {
    ExchangeRequest leave;
    leave.clock_event = event;
    leave.clock = workers;
    CONVOY_RETURN_IF_ERROR(Submit(server, std::move(leave)).status());
  }
  return WaitUntilAnswered();
}

absl::StatusOr<uint64_t> ParameterClient::Submit(uint32_t server, ExchangeRequest&& request) {
  for (uint32_t cell : request.pull_cells) ++awaited_[placement_.cells()[cell].variable];
  awaited_in_all_ += request.pull_cells.size();
  ClientCore::Actions actions;
  const uint64_t id = core_.Submit(server, std::move(request), SteadyNow(), &actions);
  CONVOY_RETURN_IF_ERROR(Perform(actions));
  return id;
}

absl::Status ParameterClient::Perform(const ClientCore::Actions& actions) {
  for (const ClientCore::Action& action : actions) {
    const int peer = static_cast<int>(action.server);
    switch (action.kind) {
      case ClientCore::Action::Kind::kOpen:
        streams_.Open(peer, options_.servers[action.server]);
        break;
      case ClientCore::Action::Kind::kSend:
        Send(action.server, *action.request);
        break;
      case ClientCore::Action::Kind::kComplete:
        CONVOY_RETURN_IF_ERROR(OnCompleted(*action.request, action.reply));
        break;
    }
  }
  return absl::OkStatus();
}

// A push is hit at most once, so that one that is sent again gets through.
void ParameterClient::Send(uint32_t server, const ExchangeRequest& request) {
  PushFaults::Hit hit;
  if (options_.faults.any() && request.has_push() && request.request_id > sent_to_[server])
    hit = options_.faults.Of(request.request_id);
  sent_to_[server] = std::max(sent_to_[server], request.request_id);
  const int peer = static_cast<int>(server);
  WireMessage message = Encode(request);
  if (options_.checksums) AddChecksum(&message);
  if (hit.corrupt) {
    message = Damaged(message, request.request_id);
    push_faults_.set_corrupted(push_faults_.corrupted() + 1);
  }
  streams_.Send(peer, message, hit.delay);
  if (hit.delay > absl::ZeroDuration()) push_faults_.set_delayed(push_faults_.delayed() + 1);
  if (hit.duplicate) {
    streams_.Send(peer, message);
    push_faults_.set_duplicated(push_faults_.duplicated() + 1);
  }
  if (hit.drop) {
    streams_.Close(peer);
    push_faults_.set_dropped(push_faults_.dropped() + 1);
  }
}

absl::Status ParameterClient::OnEvent(const StreamClient::Event& event) {
  const auto server = static_cast<uint32_t>(event.peer);
  const absl::Time now = SteadyNow();
  ClientCore::Actions actions;
  switch (event.kind) {
    case StreamClient::Event::Kind::kOpened:
      core_.OnOpened(server, now, &actions);
      break;
    case StreamClient::Event::Kind::kClosed:
      core_.OnClosed(server, damage_[server].ok() ? event.status : damage_[server], now);
      damage_[server] = absl::OkStatus();
      break;
    case StreamClient::Event::Kind::kMessage: {
      if (options_.checksums) damage_[server].Update(VerifyChecksum(event.message));
      if (!damage_[server].ok()) {
        streams_.Close(event.peer);  // what is not answered is asked again on the next stream
        break;
      }
      CONVOY_ASSIGN_OR_RETURN(ExchangeReply reply, DecodeReply(event.message));
      CONVOY_RETURN_IF_ERROR(core_.OnReply(server, std::move(reply), now, &actions));
      break;
    }
  }
  return Perform(actions);
}

absl::StatusOr<bool> ParameterClient::HandleOne(absl::Time deadline) {
  StreamClient::Event event;
  if (!streams_.Poll(deadline, &event)) return false;
  CONVOY_RETURN_IF_ERROR(OnEvent(event));
  return true;
}

absl::Status ParameterClient::Tick() {
  ClientCore::Actions actions;
  CONVOY_RETURN_IF_ERROR(core_.Tick(SteadyNow(), &actions));
  return Perform(actions);
}

absl::Status ParameterClient::Poll() {
  unsent_bytes_ = unpolled_bytes_ = 0;
  for (bool more = true; more;) {
    CONVOY_ASSIGN_OR_RETURN(more, HandleOne(absl::InfinitePast()));
  }
  return Tick();
}

absl::Status ParameterClient::PollUntilSent() {
  unsent_bytes_ = 0;
  for (StreamClient::Event event; streams_.PollUntilSent(&event);) {
    CONVOY_RETURN_IF_ERROR(OnEvent(event));
  }
  return Tick();
}

// One event at a time: to look whether there is another one costs a system call.
absl::Status ParameterClient::WaitUntil(const std::function<bool()>& done) {
  if (done()) return absl::OkStatus();
  const absl::Time begin = SteadyNow();
  for (absl::Time now = begin; !done(); now = SteadyNow()) {
    CONVOY_RETURN_IF_ERROR(options_.interrupted());
    CONVOY_ASSIGN_OR_RETURN(const bool handled,
                            HandleOne(std::min(core_.NextDeadline(), now + kLookUp)));
    if (!handled) CONVOY_RETURN_IF_ERROR(Tick());
  }
  waited_ += SteadyNow() - begin;
  return streams_.HoldsBack() ? PollUntilSent() : absl::OkStatus();
}

Staleness ParameterClient::TakeStaleness() { return std::exchange(staleness_, {}); }

}  // namespace convoy
