#include "tests/testing/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "common/net/exchange.h"
#include "common/placement/ownership.h"
#include "tests/testing/simulated_worker.h"

namespace convoy::testing {

struct Simulation::Stream {
  uint64_t id;
  Worker* worker;
  uint32_t server;
  bool client_open = true;  // the client end
  bool server_open = true;
  absl::Time last_up = absl::InfinitePast(), last_down = absl::InfinitePast();
};

struct Simulation::Worker {
  uint32_t rank;
  std::unique_ptr<ClientCore> client;
  std::unique_ptr<SimulatedWorker> logic;
  std::vector<std::shared_ptr<Stream>> streams;  // by server
  bool done = false;
  bool is_lost = false;  // another one takes its place
  bool is_dead = false;  // nothing comes from it any more
  // Before `logic` begins, in the place of another one.
  uint64_t rejoin_replies = 0, rejoin_rounds = 0, lowest_step = kNewestVersion;
};

Simulation::Simulation(SimulationOptions options)
    : options_(std::move(options)),
      placement_(*Placement::Create(options_.job.variables, options_.servers, options_.job.tables)),
      random_(options_.seed),
      completed_(options_.completed) {}

Simulation::~Simulation() = default;

void Simulation::After(absl::Duration delay, std::function<void()> run) {
  events_.push({now_ + delay, next_event_++, std::move(run)});
}

absl::Duration Simulation::RandomDelay() {
  const double x = std::uniform_real_distribution<double>(0, 1)(random_);
  return x * x * x * options_.max_delay + absl::Microseconds(1);
}

void Simulation::Log(const std::string& line) {
  ++result_.events;
  const std::string stamped =
      absl::StrCat(absl::ToInt64Microseconds(now_ - absl::UnixEpoch()), " us: ", line);
  result_.log_hash = StableHash(absl::StrCat(result_.log_hash, stamped));
  if (options_.keep_log) result_.log.push_back(stamped);
}

void Simulation::Fail(const absl::Status& status) {
  if (failure_.ok()) failure_ = status;
}

Payload Simulation::Shred(const std::string& bytes) {
  struct Pieces {
    std::vector<std::unique_ptr<std::string>> parts;
    ~Pieces() {
      for (auto& part : parts) std::memset(part->data(), 0xCB, part->size());
    }
  };
  auto pieces = std::make_shared<Pieces>();
  Payload payload(pieces);
  for (size_t at = 0; at < bytes.size();) {
    const size_t take =
        std::min<size_t>(bytes.size() - at, Chance(0.2) ? 1 + Random(9) : 1 + Random(bytes.size()));
    pieces->parts.push_back(std::make_unique<std::string>(bytes, at, take));
    payload.Append({pieces->parts.back()->data(), take});
    at += take;
  }
  return payload;
}

std::unique_ptr<Simulation::Worker> Simulation::MakeWorker(uint32_t rank) {
  auto worker = std::make_unique<Worker>();
  worker->rank = rank;
  worker->streams.resize(options_.servers);
  ClientCore::Options client;
  client.job_id = 4711;
  client.worker = rank;
  client.first_session = (++incarnations_ << 32) + 1;
  client.mode = options_.mode;
  client.in_flight_bytes = 200;
  for (uint32_t s = 0; s < options_.servers; ++s)
    client.servers.push_back(absl::StrCat("simulated:", s));
  worker->client = std::make_unique<ClientCore>(client);
  return worker;
}

void Simulation::MakeLogic(Worker& worker, uint64_t first_step) {
  Worker* const w = &worker;
  SimulatedWorker::Environment environment;
  environment.random = [this](uint64_t below) { return Random(below); };
  environment.submit = [this, w](uint32_t server, ExchangeRequest request) {
    if (w->is_dead) return;
    ClientCore::Actions actions;
    w->client->Submit(server, std::move(request), now_, &actions);
    Perform(*w, actions);
  };
  environment.after = [this, w](std::function<void()> run) {
    After(RandomDelay() * (w->rank == 0 ? options_.straggler : 1), [w, run = std::move(run)] {
      if (!w->is_dead) run();
    });
  };
  environment.next_task = [this, w](uint64_t finished) {
    if (w->is_lost) w->is_dead = true;  // the coordinator tells it
    return w->is_dead ? kNewestVersion : NextTask(w->rank, finished);
  };
  environment.on_read = [this](uint32_t reader) {
    const auto batches = [](const auto& of) {
      return of->logic == nullptr ? 0 : of->logic->batches_completed();
    };
    uint64_t slowest = batches(workers_[reader]);
    for (const auto& other : workers_) {
      if (other->logic != nullptr && other->logic->holds_task())
        slowest = std::min(slowest, batches(other));
    }
    result_.largest_lead = std::max(result_.largest_lead, batches(workers_[reader]) - slowest);
  };
  environment.when_all_joined = [this](std::function<void()> run) {
    const bool all_have = joined_.size() == workers_.size();
    if (all_have) return run();
    joined_.push_back(std::move(run));
    if (joined_.size() < workers_.size()) return;
    for (const auto& go_on : joined_) go_on();
  };
  environment.done = [w] { w->done = true; };
  worker.logic =
      MakeSimulatedWorker(options_.job, options_.mode, placement_, worker.rank, options_.workers,
                          options_.batches_per_task, first_step, std::move(environment));
}

void Simulation::StartWorker(Worker& worker) {
  ClientCore::Actions actions;
  worker.client->Start(now_, &actions);
  Perform(worker, actions);
}

void Simulation::Lose(Worker& worker) {
  if (worker.is_lost) return;
  worker.is_lost = true;
  worker.is_dead = Chance(0.5);
  ++result_.workers_lost;
  Log(absl::StrCat("worker ", worker.rank, worker.is_dead ? " dies" : " is thought dead"));
  if (worker.is_dead) {
    for (const auto& stream : worker.streams) BreakStream(stream);
  }
  After(10 * RandomDelay(), [this, rank = worker.rank] { Rejoin(rank); });
}

// As ParameterClient::AskForStep, or LeaveClocks, before the training goes on.
void Simulation::Rejoin(uint32_t rank) {
  lost_.push_back(std::move(workers_[rank]));
  workers_[rank] = MakeWorker(rank);
  Worker& worker = *workers_[rank];
  Log(absl::StrCat("another worker ", rank, " comes"));
  StartWorker(worker);
  TickWorker(worker);
  AskServers(worker);
}

void Simulation::AskServers(Worker& worker) {
  worker.rejoin_replies = 0;
  worker.lowest_step = kNewestVersion;
  for (uint32_t server = 0; server < options_.servers; ++server) {
    ExchangeRequest request;
    request.pull_version = kNewestVersion;
    request.pull_applied = options_.mode.rounds();
    if (!options_.mode.rounds()) request.clock_event = ClockEvent::kLeave;
    ClientCore::Actions actions;
    worker.client->Submit(server, std::move(request), now_, &actions);
    Perform(worker, actions);
  }
}

void Simulation::OnRejoinReply(Worker& worker, const ExchangeReply& reply) {
  worker.lowest_step = std::min(worker.lowest_step, reply.applied_step);
  if (++worker.rejoin_replies < options_.servers) return;
  if (options_.mode.rounds() && ++worker.rejoin_rounds == 1) return AskServers(worker);
  MakeLogic(worker, worker.lowest_step);
  worker.logic->Start();
}

absl::StatusOr<Simulation::Result> Simulation::Run() {
  for (uint32_t rank = 0; rank < options_.servers; ++rank) {
    ServerCore::Options server;
    server.job_id = 4711;
    server.rank = rank;
    server.mode = options_.mode;
    server.slices = options_.job.slices;
    server.workers = options_.workers;
    server.seed = options_.job.seed;
    server.optimizer = options_.job.optimizer;
    server.epoch_examples = server.total_examples = options_.job.examples;
    server.out_of_order_budget = options_.out_of_order_budget;
    server.poison_buffers = true;
    server.deltas = true;
    servers_.push_back(*ServerCore::Create(server, placement_));
    if (options_.restore) {
      if (absl::Status status = options_.restore(rank, *servers_.back()); !status.ok())
        return status;
    }
  }
  held_.resize(options_.workers);
  for (uint32_t rank = 0; rank < options_.workers; ++rank) {
    workers_.push_back(MakeWorker(rank));
    MakeLogic(*workers_.back(), options_.first_step);
  }
  for (auto& worker : workers_) {
    StartWorker(*worker);
    worker->logic->Start();
    TickWorker(*worker);
  }
  TickServers();
  Observe();

  const auto all_done = [&] {
    return std::all_of(workers_.begin(), workers_.end(),
                       [](const auto& w) { return w->done && w->client->idle(); });
  };
  while (failure_.ok() && !all_done()) {
    if (options_.kill_after > 0 && result_.events >= options_.kill_after) {
      result_.killed = true;
      return std::move(result_);
    }
    if (result_.events > 2'000'000) Fail(absl::InternalError("no end after 2 million events"));
    Event event = events_.top();
    events_.pop();
    now_ = event.at;
    event.run();
  }
  if (!failure_.ok()) {
    for (const std::string& line : result_.log) std::fprintf(stderr, "%s\n", line.c_str());
    return absl::InternalError(absl::StrCat(
        "schedule seed ", options_.seed, ", at ", absl::FormatDuration(now_ - absl::UnixEpoch()),
        ", event ", result_.events, ": ", std::string(failure_.message())));
  }
  result_.duration = now_ - absl::UnixEpoch();
  for (const VariableSpec& variable : options_.job.variables) {
    result_.weights.emplace_back(static_cast<size_t>(variable.size()));
  }
  ReadTables();
  for (uint32_t s = 0; s < options_.servers; ++s) {
    result_.stats.push_back(servers_[s]->Stats());
    auto& counts = result_.counts.emplace_back();
    for (uint32_t id : placement_.cells_of_server(s)) {
      const CellSpec& spec = placement_.cells()[id];
      const Cell::State state = servers_[s]->CellState(id);
      counts.push_back(state.counts);
      std::copy(state.values.begin(), state.values.end(),
                result_.weights[spec.variable].begin() + spec.offset);
    }
    counts.push_back(servers_[s]->CellState(ServerCore::kServerCell).counts);
  }
  return std::move(result_);
}

// A worker that has just come gets the task that the one before it held.
uint64_t Simulation::NextTask(uint32_t rank, uint64_t finished) {
  if (finished == 0 && held_[rank] != 0) return held_[rank];
  if (finished != 0) completed_.Add(finished, finished + 1);
  while (completed_.Contains(next_task_)) ++next_task_;
  return held_[rank] = next_task_++;
}

void Simulation::Observe() {
  if (!options_.observer) return;
  ClusterView view;
  view.after = [this](std::function<void()> run) { After(RandomDelay(), std::move(run)); };
  view.server = [this](uint32_t rank) -> ServerCore& { return *servers_[rank]; };
  view.now = [this] { return now_; };
  view.step = [this] {
    uint64_t highest = 0, sum = 0;
    for (const auto& worker : workers_) {
      if (worker->logic == nullptr) continue;
      highest = std::max(highest, worker->logic->step());
      sum += worker->logic->batches_completed();
    }
    return options_.mode.rounds() ? highest : sum;
  };
  view.completed = [this] { return completed_; };
  view.fail = [this](const absl::Status& status) { Fail(status); };
  options_.observer(std::move(view));
}

void Simulation::ReadTables() {
  result_.tables.resize(placement_.tables().size());
  for (uint32_t t = 0; t < placement_.tables().size(); ++t) {
    const auto dim = static_cast<int>(placement_.tables()[t].dim());
    for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
      v1::ReadTableRequest request;
      request.set_job_id(4711);
      request.set_table(t);
      request.set_bucket(bucket);
      const v1::ReadTableReply rows =
          *servers_[placement_.server_of_bucket(bucket)]->ReadTable(request);
      for (int i = 0; i < rows.ids_size(); ++i) {
        result_.tables[t][rows.ids(i)] = {rows.values().begin() + i * dim,
                                          rows.values().begin() + (i + 1) * dim};
      }
    }
  }
}

void Simulation::Perform(Worker& worker, const ClientCore::Actions& actions) {
  for (const ClientCore::Action& action : actions) {
    switch (action.kind) {
      case ClientCore::Action::Kind::kOpen:
        OpenStream(worker, action.server);
        break;
      case ClientCore::Action::Kind::kSend:
        SendToServer(worker, action.server, *action.request);
        break;
      case ClientCore::Action::Kind::kComplete:
        if (worker.logic == nullptr) {
          OnRejoinReply(worker, action.reply);
        } else {
          worker.logic->OnReply(*action.request, action.reply);
        }
        break;
    }
  }
}

void Simulation::OpenStream(Worker& worker, uint32_t server) {
  auto stream = std::make_shared<Stream>(Stream{next_stream_++, &worker, server});
  streams_.push_back(stream);
  worker.streams[server] = stream;
  After(RandomDelay(), [this, stream, &worker] {
    if (!stream->client_open || worker.is_dead) return;
    Log(absl::StrCat("worker ", worker.rank, " opens stream ", stream->id, " to server ",
                     stream->server));
    ClientCore::Actions actions;
    worker.client->OnOpened(stream->server, now_, &actions);
    Perform(worker, actions);
  });
}

void Simulation::SendToServer(Worker& worker, uint32_t server, const ExchangeRequest& request) {
  const std::shared_ptr<Stream> stream = worker.streams[server];
  if (!stream->client_open) return;
  const std::string bytes = Encode(request).ToString();
  stream->last_up = std::max(stream->last_up, now_ + RandomDelay());
  After(stream->last_up - now_, [this, stream, bytes] {
    if (!stream->server_open) return;
    const absl::StatusOr<ExchangeRequest> decoded = DecodeRequest(Shred(bytes));
    if (!decoded.ok()) return Fail(decoded.status());
    Log(absl::StrCat("server ", stream->server, " gets request ", decoded->request_id,
                     " of worker ", decoded->worker, ", step ", decoded->step, ", task ",
                     decoded->task, " batch ", decoded->batch, decoded->final ? ", final" : "",
                     ", pulls ", decoded->pull_cells.size()));
    std::vector<ServerCore::Outgoing> out;
    servers_[stream->server]->Handle(stream->id, *decoded, now_, &out);
    SendReplies(stream->server, out);
  });
  if (Chance(options_.stream_loss)) BreakStream(stream);
}

void Simulation::SendReplies(uint32_t, const std::vector<ServerCore::Outgoing>& replies) {
  for (const ServerCore::Outgoing& outgoing : replies) {
    const std::shared_ptr<Stream> stream = streams_[outgoing.stream - 1];
    if (!stream->server_open) continue;
    // The reply refers to the server's buffers until it is encoded here, some time later.
    stream->last_down = std::max(stream->last_down, now_ + RandomDelay());
    After(stream->last_down - now_, [this, stream, reply = outgoing.reply] {
      if (!stream->client_open) return;
      const absl::StatusOr<ExchangeReply> decoded = DecodeReply(Shred(Encode(reply).ToString()));
      if (!decoded.ok()) return Fail(decoded.status());
      Worker& worker = *stream->worker;
      if (worker.is_dead) return;
      Log(absl::StrCat("worker ", worker.rank, " gets reply ", decoded->request_id, " of server ",
                       stream->server, decoded->retry_later ? ", retry later" : ""));
      if (Chance(options_.worker_loss) && !worker.done) Lose(worker);
      if (worker.is_dead) return;
      if (worker.is_lost && decoded->code == absl::StatusCode::kAborted) {
        worker.is_dead = true;
        ++result_.told_of_successor;
        return;
      }
      ClientCore::Actions actions;
      const absl::Status status = worker.client->OnReply(stream->server, *decoded, now_, &actions);
      if (!status.ok() && status.code() != absl::StatusCode::kAborted) return Fail(status);
      Perform(worker, actions);
    });
    if (Chance(options_.stream_loss)) BreakStream(stream);
  }
}

// The client notices after a while; the server may go on reading what was under way, also after the
// client has opened another stream.
void Simulation::BreakStream(const std::shared_ptr<Stream>& stream) {
  After(RandomDelay(), [this, stream] {
    if (!stream->client_open) return;
    stream->client_open = false;
    ++result_.streams_lost;
    Log(absl::StrCat("stream ", stream->id, " breaks"));
    Worker& worker = *stream->worker;
    if (worker.is_dead) return;
    worker.client->OnClosed(stream->server, absl::UnavailableError("lost"), now_);
  });
  After(RandomDelay() * (Chance(0.3) ? 20 : 1), [this, stream] {
    stream->server_open = false;
    servers_[stream->server]->OnStreamClosed(stream->id);
  });
}

void Simulation::TickWorker(Worker& worker) {
  After(absl::Milliseconds(1), [this, &worker] {
    if (worker.is_dead) return;
    ClientCore::Actions actions;
    const absl::Status status = worker.client->Tick(now_, &actions);
    if (!status.ok()) return Fail(status);
    Perform(worker, actions);
    TickWorker(worker);
  });
}

void Simulation::TickServers() {
  After(absl::Milliseconds(50), [this] {
    for (uint32_t s = 0; s < servers_.size(); ++s) {
      std::vector<ServerCore::Outgoing> out;
      servers_[s]->Tick(now_, &out);
      SendReplies(s, out);
    }
    TickServers();
  });
}

}  // namespace convoy::testing
