// P2 in a simulated job.
#ifndef CONVOY_TESTS_SIMULATION_COUNTED_ONCE_H_
#define CONVOY_TESTS_SIMULATION_COUNTED_ONCE_H_

#include "tests/testing/simulation.h"

namespace convoy::testing {

// Every step, or batch, counts once in every cell, and so does its gradient.
void ExpectCountedOnce(const SimulationOptions& options, const Simulation::Result& result);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_SIMULATION_COUNTED_ONCE_H_
