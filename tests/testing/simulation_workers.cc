// The second part of Simulation: workers that come, are lost, and have others in their places.
#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/testing/simulated_process.h"
#include "tests/testing/simulation.h"

namespace convoy::testing {

std::unique_ptr<Simulation::Worker> Simulation::MakeWorker(uint32_t rank) {
  auto worker = std::make_unique<Worker>(Worker{rank, generation_, processes_.size() + 1});
  processes_.push_back(worker.get());
  ClientCore::Options client;
  client.job_id = 4711;
  client.generation = generation_;
  client.worker = rank;
  client.first_session = (worker->process << 32) + 1;
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
  environment.random = [this](uint64_t below) { return events_.Random(below); };
  environment.submit = [this, w](uint32_t server, ExchangeRequest request) {
    if (w->is_dead) return;
    ClientCore::Actions actions;
    w->client->Submit(server, std::move(request), events_.now(), &actions);
    Perform(*w, actions);
  };
  environment.after = [this, w](std::function<void()> run) {
    events_.After(events_.RandomDelay() * (w->rank == 0 ? options_.straggler : 1),
                  [w, run = std::move(run)] {
                    if (!w->is_dead) run();
                  });
  };
  environment.next_task = [this, w](uint64_t finished) {
    if (w->is_lost) w->is_dead = true;  // the coordinator tells it
    return w->is_dead ? kNewestVersion : NextTask(w->rank, finished);
  };
  environment.on_read = [this, w](uint32_t) {
    if (!w->is_lost) result_.largest_lead = std::max(result_.largest_lead, LeadOf(*w));
  };
  environment.when_all_joined = [this, w](std::function<void()> run) {
    if (w->generation != generation_) return;
    const bool all_have = joined_.size() == workers_.size();
    if (all_have) return run();
    joined_.push_back(std::move(run));
    if (joined_.size() < workers_.size()) return;
    for (const auto& go_on : joined_) go_on();
  };
  environment.done = [w] { w->done = true; };
  environment.on_anchors = [this](uint32_t cell, const std::vector<float>& anchors) {
    CheckAnchors(absl::StrCat("cell ", cell), anchors, &result_.anchors[cell]);
  };
  environment.on_row_anchors = [this](uint32_t table, uint64_t id,
                                      const std::vector<float>& anchors) {
    CheckAnchors(absl::StrCat("table ", table, ", id ", id), anchors,
                 &result_.row_anchors[table][id]);
  };
  environment.overlaps = options_.overlaps;
  environment.completed_task = last_completed_[worker.rank];
  worker.logic = MakeSimulatedWorker(options_.job, options_.mode, placement_, worker.rank,
                                     static_cast<uint32_t>(held_.size()), options_.batches_per_task,
                                     first_step, std::move(environment));
}

// No update and no loss of a process changes them.
void Simulation::CheckAnchors(const std::string& of, const std::vector<float>& now,
                              std::vector<float>* known) {
  if (known->empty()) *known = now;
  const auto same = [](float a, float b) {  // the bits: minus zero means something
    return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
  };
  if (std::ranges::equal(now, *known, same)) return;
  Fail(absl::InternalError(absl::StrCat("anchors of ", of, ": got ", absl::StrJoin(now, " "),
                                        ", before ", absl::StrJoin(*known, " "))));
}

uint64_t Simulation::LeadOf(const Worker& reader) const {
  uint64_t slowest = reader.logic->batches_completed();
  for (const auto& other : workers_) {
    if (other->logic != nullptr && other->logic->holds_task())
      slowest = std::min(slowest, other->logic->batches_completed());
  }
  return reader.logic->batches_completed() - slowest;
}

// A worker that has just come gets the task that the one before it held.
uint64_t Simulation::NextTask(uint32_t rank, uint64_t finished) {
  if (finished == 0 && held_[rank] != 0) return held_[rank];
  if (finished != 0) {
    completed_.Add(finished, finished + 1);
    last_completed_[rank] = finished;
  }
  while (completed_.Contains(next_task_)) ++next_task_;
  return held_[rank] = next_task_++;
}

void Simulation::StartWorker(Worker& worker) {
  ClientCore::Actions actions;
  worker.client->Start(events_.now(), &actions);
  Perform(worker, actions);
}

void Simulation::Kill(Worker& worker) {
  if (worker.is_dead) return;
  worker.is_dead = true;
  network_.EndProcess(worker.process);
}

void Simulation::Lose(Worker& worker, bool dies) {
  if (worker.is_lost || worker.done) return;
  worker.is_lost = true;
  ++result_.workers_lost;
  Log(absl::StrCat("worker ", worker.rank, dies ? " dies" : " is thought dead"));
  if (dies) Kill(worker);
  events_.After(10 * events_.RandomDelay(), [this, rank = worker.rank, generation = generation_] {
    if (generation == generation_) Rejoin(rank);
  });
}

// As ParameterClient::AskForStep, or LeaveClocks, before the training goes on.
void Simulation::Rejoin(uint32_t rank) {
  lost_.push_back(std::move(workers_[rank]));
  workers_[rank] = MakeWorker(rank);
  Worker& worker = *workers_[rank];
  Log(absl::StrCat("another worker ", rank, " comes"));
  // The other one may go on where this one is not heard of yet.
  if (options_.partition > 0 && events_.Chance(0.3)) network_.Partition(worker.process);
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
    if (!options_.mode.rounds()) {
      request.clock_event = ClockEvent::kLeaveLast;
      request.clock = workers_.size();
    }
    ClientCore::Actions actions;
    worker.client->Submit(server, std::move(request), events_.now(), &actions);
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

void Simulation::Perform(Worker& worker, const ClientCore::Actions& actions) {
  for (const ClientCore::Action& action : actions) {
    switch (action.kind) {
      case ClientCore::Action::Kind::kOpen:
        network_.Open(worker.process, action.server);
        break;
      case ClientCore::Action::Kind::kSend:
        network_.Send(worker.process, action.server, *action.request);
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

void Simulation::OnReply(Worker& worker, uint32_t server, const ExchangeReply& reply) {
  Log(absl::StrCat("worker ", worker.rank, " gets reply ", reply.request_id, " of server ", server,
                   reply.retry_later ? ", retry later" : ""));
  if (events_.Chance(options_.worker_loss) && !worker.done && !worker.is_lost) {
    Lose(worker, events_.Chance(0.5));
  }
  if (worker.is_dead) return;
  if (worker.is_lost && reply.code == absl::StatusCode::kAborted) {
    ++result_.told_of_successor;
    return Kill(worker);
  }
  ClientCore::Actions actions;
  const absl::Status status =
      worker.client->OnReply(server, ExchangeReply(reply), events_.now(), &actions);
  if (!status.ok() && status.code() != absl::StatusCode::kAborted) return Fail(status);
  Perform(worker, actions);
}

void Simulation::TickWorker(Worker& worker) {
  events_.After(absl::Milliseconds(1), [this, &worker] {
    if (worker.is_dead) return;
    ClientCore::Actions actions;
    const absl::Status status = worker.client->Tick(events_.now(), &actions);
    if (!status.ok()) return Fail(status);
    Perform(worker, actions);
    TickWorker(worker);
  });
}

}  // namespace convoy::testing
