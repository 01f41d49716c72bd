// The seeded schedules that the simulation tests run. With CONVOY_SIMULATION_SEED=n only that one
// runs, and its events are printed.
#ifndef CONVOY_TESTS_SIMULATION_SCHEDULES_H_
#define CONVOY_TESTS_SIMULATION_SCHEDULES_H_

#include <cstdint>
#include <utility>

#include "tests/testing/simulation.h"

namespace convoy::testing {

inline constexpr uint64_t kSchedules = 500;
inline constexpr uint64_t kTableSchedules = 150;  // each takes longer: 2,048 buckets more

// [first, last). CONVOY_SIMULATION_SCHEDULES replaces `count`.
std::pair<uint64_t, uint64_t> Seeds(uint64_t count, uint64_t first = 1);

// Shapes, optimizer and faults vary with the seed.
SimulationOptions Schedule(uint64_t seed, Mode mode);

// All kinds of faults at once, for a Lineage.
SimulationOptions FaultSchedule(uint64_t seed, const Mode& mode, bool tables);

void Print(const Simulation::Result& result);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_SIMULATION_SCHEDULES_H_
