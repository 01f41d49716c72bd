#include "tests/simulation/schedules.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

namespace convoy::testing {

std::pair<uint64_t, uint64_t> Seeds(uint64_t schedules, uint64_t first) {
  if (const char* seed = std::getenv("CONVOY_SIMULATION_SEED")) {
    const uint64_t only = std::strtoull(seed, nullptr, 10);
    return {only, only + 1};
  }
  const char* count = std::getenv("CONVOY_SIMULATION_SCHEDULES");
  return {first, first + (count ? std::strtoull(count, nullptr, 10) : schedules)};
}

SimulationOptions Schedule(uint64_t seed, Mode mode) {
  SimulationOptions options;
  options.seed = seed;
  options.mode = mode;
  options.servers = static_cast<uint32_t>(1 + seed % 3);
  options.workers = static_cast<uint32_t>(1 + seed / 3 % 4);
  options.job.slices = static_cast<uint32_t>(1 + seed / 12 % 6);
  options.job.examples = 40 + seed % 17;            // uneven ends
  options.job.batch_size = seed % 5 == 0 ? 3 : 16;  // fewer examples than slices
  options.job.steps = 8;
  options.job.variables = ToyVariables();
  options.job.optimizer.set_learning_rate(0.1);
  switch (seed % 4) {
    case 0:
      options.job.optimizer.mutable_sgd();
      break;
    case 1:
      options.job.optimizer.mutable_momentum();
      break;
    case 2:
      options.job.optimizer.mutable_adam();
      break;
    case 3:
      options.job.optimizer.mutable_adagrad();
      break;
  }
  if (mode.local()) options.job.local_steps = mode.local_steps;
  if (mode.backup > 0) options.job.slices = std::max(options.job.slices, mode.backup + 1);
  options.stream_loss = seed % 7 == 0 ? 0 : 0.02;
  options.keep_log = std::getenv("CONVOY_SIMULATION_SEED") != nullptr;
  return options;
}

SimulationOptions FaultSchedule(uint64_t seed, const Mode& mode, bool tables) {
  SimulationOptions options = Schedule(seed, mode);
  if (tables) options.job.tables = ToyTables();
  options.job.steps = 12;
  if (!mode.rounds()) options.job.examples *= 4;
  if (mode.backup > 0) {
    options.job.examples = 48;    // so that all slices of a step have
    options.job.batch_size = 24;  // the same number of examples
    options.job.slices = 2 + static_cast<uint32_t>(seed / 5 % 3);
    options.job.sparse = seed % 2 == 0;
  }
  options.worker_loss = seed % 3 == 0 ? 0 : 0.01;
  options.partition = seed % 4 == 0 ? 0 : 0.01;
  options.overlaps = seed % 2 == 0;
  options.restarts = static_cast<uint32_t>(seed % 6);
  options.restart_within = 80 * (options.servers + options.workers);
  return options;
}

void Print(const Simulation::Result& result) {
  for (const std::string& line : result.log) std::cout << line << "\n";
}

}  // namespace convoy::testing
