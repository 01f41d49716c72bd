// The third part of Simulation: servers and the coordinator are lost, and all begin a new
// generation.
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/testing/simulated_process.h"
#include "tests/testing/simulation.h"

namespace convoy::testing {

void Simulation::DrawNextRestart() {
  if (restarts_left_ > 0) {
    next_restart_ = result_.events + 1 + events_.Random(options_.restart_within);
  }
}

// Some processes of the old generation have died; others go on until they are told, or replaced.
void Simulation::Restart(Cause cause) {
  ++generation_;
  is_restarting_ = true;
  const bool power_failed = cause == Cause::kPower;
  const char* const names[] = {"a server is lost", "the coordinator is lost", "the power fails",
                               "the job is to have other workers"};
  Log(absl::StrCat(names[static_cast<int>(cause)], ": generation ", generation_));
  for (auto& worker : workers_) {
    worker->is_lost = true;
    if (power_failed || events_.Chance(0.5)) Kill(*worker);
    lost_.push_back(std::move(worker));
  }
  workers_.clear();
  if (power_failed) {
    for (const auto& worker : lost_) Kill(*worker);
    for (uint32_t rank = 0; rank < servers_.size(); ++rank) EndServer(rank);
  } else if (cause == Cause::kServer) {
    EndServer(static_cast<uint32_t>(events_.Random(servers_.size())));
  }
  events_.After(10 * events_.RandomDelay(), [this, power_failed, generation = generation_] {
    if (generation == generation_) BeginGeneration(power_failed);
  });
  DrawNextRestart();
}

void Simulation::BeginGeneration(bool power_failed) {
  if (options_.newest) {
    absl::StatusOr<RestorePoint> newest = options_.newest(generation_, power_failed);
    if (!newest.ok()) return Fail(newest.status());
    point_ = *std::move(newest);
  } else {
    point_ = {};
  }
  const auto workers = static_cast<uint32_t>(1 + events_.Random(4));
  Log(absl::StrCat("generation ", generation_, " begins at step ", point_.first_step, " with ",
                   workers, " workers"));
  if (workers != held_.size()) ++result_.resized;
  if (point_.restore) ++result_.went_back;
  is_restarting_ = false;
  held_.assign(workers, 0);
  last_completed_.assign(workers, 0);
  joined_.clear();
  next_task_ = 1;
  completed_ = point_.completed;
  for (uint32_t rank = 0; rank < servers_.size(); ++rank) {
    events_.After(10 * events_.RandomDelay(), [this, rank, generation = generation_] {
      if (generation == generation_) EnterGeneration(rank);
    });
  }
  for (uint32_t rank = 0; rank < workers; ++rank) {
    workers_.push_back(MakeWorker(rank));
    Worker* const worker = workers_.back().get();
    MakeLogic(*worker, point_.first_step);
    events_.After(10 * events_.RandomDelay(), [this, worker] {
      if (worker->is_dead) return;
      StartWorker(*worker);
      worker->logic->Start();
      TickWorker(*worker);
    });
  }
  Observe();
}

// Another process, which listens before it has its part.
void Simulation::EnterGeneration(uint32_t rank) {
  EndServer(rank);
  servers_[rank].is_up = true;
  events_.After(3 * events_.RandomDelay(), [this, rank, generation = generation_] {
    if (generation != generation_) return;
    Log(absl::StrCat("server ", rank, " enters generation ", generation));
    if (const absl::Status status = LoadServer(rank); !status.ok()) Fail(status);
  });
}

void Simulation::EndServer(uint32_t rank) {
  network_.EndServer(rank);
  servers_[rank].core.reset();
  servers_[rank].is_up = false;
}

}  // namespace convoy::testing
