#include "tests/testing/simulation.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "tests/testing/simulated_process.h"

namespace convoy::testing {
namespace {

// Bounds of P6. The longest schedules take some 10,000 events and a minute.
constexpr uint64_t kMostEvents = 100'000;
constexpr absl::Duration kLongest = absl::Minutes(30);

}  // namespace

Simulation::Simulation(SimulationOptions options)
    : options_(std::move(options)),
      placement_(*Placement::Create(options_.job.variables, options_.servers, options_.job.tables)),
      events_(options_.seed, options_.max_delay),
      network_({options_.servers, options_.stream_loss, options_.partition}, NetworkEnds(),
               &events_),
      servers_(options_.servers),
      completed_(options_.start.completed),
      point_(options_.start),
      restarts_left_(options_.restarts) {}

Simulation::~Simulation() = default;

SimulatedNetwork::Ends Simulation::NetworkEnds() {
  const auto worker = [this](uint64_t process) -> Worker& { return *processes_[process - 1]; };
  SimulatedNetwork::Ends ends;
  ends.opened = [this, worker](uint64_t process, uint32_t server) {
    if (worker(process).is_dead) return;
    ClientCore::Actions actions;
    worker(process).client->OnOpened(server, events_.now(), &actions);
    Perform(worker(process), actions);
  };
  ends.closed = [this, worker](uint64_t process, uint32_t server) {
    if (worker(process).is_dead) return;
    worker(process).client->OnClosed(server, absl::UnavailableError("lost"), events_.now());
  };
  ends.reply = [this, worker](uint64_t process, uint32_t server, const ExchangeReply& reply) {
    if (!worker(process).is_dead) OnReply(worker(process), server, reply);
  };
  ends.is_up = [this](uint32_t server) { return servers_[server].is_up; };
  ends.request = [this](uint64_t stream, uint32_t server, const ExchangeRequest& request) {
    OnRequest(stream, server, request);
  };
  ends.server_closed = [this](uint64_t stream, uint32_t server) {
    if (servers_[server].core != nullptr) servers_[server].core->OnStreamClosed(stream);
  };
  ends.clients = [this] {
    std::vector<uint64_t> alive;
    for (const Worker* client : processes_) {
      if (!client->is_dead) alive.push_back(client->process);
    }
    return alive;
  };
  ends.cut_off = [this, worker](uint64_t process) {
    if (events_.Chance(0.3) && !is_restarting_) Lose(worker(process), /*dies=*/false);
  };
  ends.log = [this](const std::string& line) { Log(line); };
  ends.fail = [this](const absl::Status& status) { Fail(status); };
  return ends;
}

void Simulation::Log(const std::string& line) {
  ++result_.events;
  const std::string stamped =
      absl::StrCat(absl::ToInt64Microseconds(events_.now() - absl::UnixEpoch()), " us: ", line);
  result_.log_hash = StableHash(absl::StrCat(result_.log_hash, stamped));
  if (options_.keep_log) result_.log.push_back(stamped);
}

void Simulation::Fail(const absl::Status& status) {
  if (failure_.ok()) failure_ = status;
}

// Of the current generation.
absl::Status Simulation::LoadServer(uint32_t rank) {
  ServerCore::Options server;
  server.job_id = 4711;
  server.generation = generation_;
  server.rank = rank;
  server.mode = options_.mode;
  server.slices = options_.job.slices;
  server.workers = static_cast<uint32_t>(held_.size());
  server.seed = options_.job.seed;
  server.optimizer = options_.job.optimizer;
  server.epoch_examples = server.total_examples = options_.job.examples;
  server.out_of_order_budget = options_.out_of_order_budget;
  server.poison_buffers = true;
  server.deltas = true;
  servers_[rank].core = *ServerCore::Create(server, placement_);
  servers_[rank].sessions.clear();
  return point_.restore ? point_.restore(rank, *servers_[rank].core) : absl::OkStatus();
}

absl::StatusOr<Simulation::Result> Simulation::Run() {
  held_.resize(options_.workers);
  last_completed_.resize(options_.workers);
  result_.row_anchors.resize(placement_.tables().size());
  for (uint32_t rank = 0; rank < options_.servers; ++rank) {
    if (absl::Status status = LoadServer(rank); !status.ok()) return status;
  }
  for (uint32_t rank = 0; rank < options_.workers; ++rank) {
    workers_.push_back(MakeWorker(rank));
    MakeLogic(*workers_.back(), point_.first_step);
  }
  for (auto& worker : workers_) {
    StartWorker(*worker);
    worker->logic->Start();
    TickWorker(*worker);
  }
  TickServers();
  Observe();
  DrawNextRestart();

  while (failure_.ok() && !AllDone()) {
    if (options_.kill_after > 0 && result_.events >= options_.kill_after) {
      result_.killed = true;
      return std::move(result_);
    }
    const absl::Duration passed = events_.now() - absl::UnixEpoch();
    if (result_.events > kMostEvents || passed > kLongest) {
      Fail(absl::InternalError(absl::StrCat("no end after ", result_.events, " events, ",
                                            absl::FormatDuration(passed))));
    }
    events_.RunNext();
    if (std::exchange(power_fails_, false)) Restart(Cause::kPower);
    if (restarts_left_ > 0 && result_.events >= next_restart_) {
      --restarts_left_;
      Restart(static_cast<Cause>(events_.Random(4)));
    }
  }
  if (!failure_.ok()) {
    for (const std::string& line : result_.log) std::fprintf(stderr, "%s\n", line.c_str());
    return absl::InternalError(absl::StrCat("schedule seed ", options_.seed, ", at ",
                                            absl::FormatDuration(events_.now() - absl::UnixEpoch()),
                                            ", event ", result_.events, ": ",
                                            std::string(failure_.message())));
  }
  result_.duration = events_.now() - absl::UnixEpoch();
  result_.streams_lost = network_.streams_lost();
  result_.partitions = network_.partitions();
  result_.generations = generation_;
  ReadWeights();
  ReadTables();
  return std::move(result_);
}

bool Simulation::AllDone() const {
  return !is_restarting_ && std::all_of(workers_.begin(), workers_.end(),
                                        [](const auto& w) { return w->done && w->client->idle(); });
}

void Simulation::ReadWeights() {
  for (const VariableSpec& variable : options_.job.variables) {
    result_.weights.emplace_back(static_cast<size_t>(variable.size()));
  }
  for (uint32_t s = 0; s < options_.servers; ++s) {
    const ServerCore& server = *servers_[s].core;
    result_.stats.push_back(server.Stats());
    auto& counts = result_.counts.emplace_back();
    for (uint32_t id : placement_.cells_of_server(s)) {
      const CellSpec& spec = placement_.cells()[id];
      const Cell::State state = server.CellState(id);
      counts.push_back(state.counts);
      std::copy(state.values.begin(), state.values.end(),
                result_.weights[spec.variable].begin() + spec.offset);
    }
    counts.push_back(server.CellState(ServerCore::kServerCell).counts);
    server.shard().DisarmSnapshot();  // while one is armed marks are kept
    server.shard().ArmSnapshot(kSnapshotNow);
    for (uint32_t id : placement_.cells_of_server(s)) {
      const size_t marks = server.shard().cell(id).OutlineSnapshot()->marks.size();
      result_.open_tasks = std::max(result_.open_tasks, marks);
    }
  }
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
          *servers_[placement_.server_of_bucket(bucket)].core->ReadTable(request);
      for (int i = 0; i < rows.ids_size(); ++i) {
        result_.tables[t][rows.ids(i)] = {rows.values().begin() + i * dim,
                                          rows.values().begin() + (i + 1) * dim};
      }
    }
  }
}

void Simulation::Observe() {
  if (!options_.observer) return;
  ClusterView view;
  view.generation = generation_;
  view.after = [this](std::function<void()> run) {
    events_.After(events_.RandomDelay(), std::move(run));
  };
  view.server = [this, generation = generation_](uint32_t rank) {
    ServerCore* const core = servers_[rank].core.get();
    return core != nullptr && core->options().generation == generation ? core : nullptr;
  };
  view.now = [this] { return events_.now(); };
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
  view.lose_power = [this] { power_fails_ = true; };
  options_.observer(std::move(view));
}

void Simulation::OnRequest(uint64_t stream, uint32_t server, const ExchangeRequest& request) {
  Log(absl::StrCat("server ", server, " gets request ", request.request_id, " of worker ",
                   request.worker, ", step ", request.step, ", task ", request.task, " batch ",
                   request.batch, request.final ? ", final" : "", ", pulls ",
                   request.pull_cells.size()));
  ServerCore* const core = servers_[server].core.get();
  if (core == nullptr) {  // as ParameterService
    ExchangeReply reply;
    reply.request_id = request.request_id;
    reply.code = absl::StatusCode::kUnavailable;
    return network_.Reply(stream, reply);
  }
  std::vector<ServerCore::Outgoing> replies;
  const uint64_t applied = core->CellState(ServerCore::kServerCell).counts.version;
  core->Handle(stream, request, events_.now(), &replies);
  CheckFence(server, request, replies);
  if (options_.mode.backup > 0 && request.has_push() && request.step < applied) {
    CheckGone(server, request, replies);
  }
  for (const ServerCore::Outgoing& outgoing : replies) {
    network_.Reply(outgoing.stream, outgoing.reply);
  }
}

// Nothing but a refusal comes of a request of another generation, or of a process that has another
// one in its place.
void Simulation::CheckFence(uint32_t rank, const ExchangeRequest& request,
                            const std::vector<ServerCore::Outgoing>& replies) {
  Server& server = servers_[rank];
  const uint64_t generation = server.core->options().generation;
  uint64_t& session = server.sessions[request.worker];
  absl::StatusCode want = absl::StatusCode::kAborted;
  if (request.generation < generation) {
    ++result_.refused_old;
  } else if (request.generation > generation) {
    ++result_.refused_new;
    want = absl::StatusCode::kUnavailable;
  } else if (request.session >= session) {
    session = request.session;
    return;
  }
  if (replies.size() == 1 && replies.front().reply.code == want) return;
  Fail(absl::InternalError(
      absl::StrCat("server ", rank, ", generation ", generation, ", session ", session,
                   ": request of worker ", request.worker, ", generation ", request.generation,
                   ", session ", request.session, ": got ", replies.size(), " replies, ",
                   replies.empty() ? "" : absl::StatusCodeToString(replies.front().reply.code),
                   ", want one, ", absl::StatusCodeToString(want))));
}

// With backups: a slice that comes too late is told so.
void Simulation::CheckGone(uint32_t rank, const ExchangeRequest& request,
                           const std::vector<ServerCore::Outgoing>& replies) {
  for (const auto& [stream, reply] : replies) {
    if (reply.request_id != request.request_id || reply.step_gone) continue;
    if (reply.code != absl::StatusCode::kOk) continue;  // a fence
    Fail(absl::InternalError(absl::StrCat("server ", rank, " counts step ", request.step,
                                          " as if it came in time, want STEP_GONE")));
  }
}

void Simulation::TickServers() {
  events_.After(absl::Milliseconds(50), [this] {
    for (const Server& server : servers_) {
      if (server.core == nullptr) continue;
      std::vector<ServerCore::Outgoing> out;
      server.core->Tick(events_.now(), &out);
      for (const ServerCore::Outgoing& outgoing : out) {
        network_.Reply(outgoing.stream, outgoing.reply);
      }
      CheckBounds(*server.core);
    }
    TickServers();
  });
}

// P9: what a server keeps of gradients is a multiple of its weights. Of those that come in order at
// most one sum for each level of the tree is kept. (What tables may keep depends on the pushes.)
void Simulation::CheckBounds(const ServerCore& server) {
  if (!placement_.tables().empty()) return;
  const double budget = options_.mode.backup > 0
                            ? std::max<double>(options_.out_of_order_budget, options_.job.slices)
                            : options_.out_of_order_budget;
  const auto levels = static_cast<double>(std::bit_width(options_.job.slices));
  const double weights = static_cast<double>(sizeof(float)) *
                         static_cast<double>(placement_.elements_of_server(server.options().rank));
  const auto stored = static_cast<double>(server.Stats().stored_bytes());
  if (stored <= (budget + levels) * weights) return;
  Fail(absl::InternalError(absl::StrCat("server ", server.options().rank, " keeps ", stored,
                                        " bytes of gradients, want at most ", budget, " + ", levels,
                                        " times its weights, ", weights, " bytes")));
}

}  // namespace convoy::testing
