// A process of a worker in a simulation.
#ifndef CONVOY_TESTS_TESTING_SIMULATED_PROCESS_H_
#define CONVOY_TESTS_TESTING_SIMULATED_PROCESS_H_

#include <cstdint>
#include <memory>

#include "common/net/exchange.h"
#include "tests/testing/simulated_worker.h"
#include "tests/testing/simulation.h"
#include "worker/client_core.h"

namespace convoy::testing {

struct Simulation::Worker {
  uint32_t rank;
  uint64_t generation;
  uint64_t process;  // its number in the network
  std::unique_ptr<ClientCore> client = nullptr;
  std::unique_ptr<SimulatedWorker> logic = nullptr;
  bool done = false;
  bool is_lost = false;  // another one takes its place
  bool is_dead = false;  // nothing comes from it any more
  // Before `logic` begins, in the place of another one.
  uint64_t rejoin_replies = 0, rejoin_rounds = 0, lowest_step = kNewestVersion;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_SIMULATED_PROCESS_H_
