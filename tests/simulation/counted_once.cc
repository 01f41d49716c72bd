#include "tests/simulation/counted_once.h"

#include <gtest/gtest.h>

#include "tests/testing/simulated_worker.h"

namespace convoy::testing {
namespace {

// How often the cell has a gradient. (With backups it is left open which slices count, but there
// are schedules in which all have gradients.)
uint64_t UpdatesOf(const SimulationOptions& options, uint32_t cell) {
  const ToyJob& job = options.job;
  const bool rounds = options.mode.rounds();
  uint64_t updates = 0;
  for (uint64_t step = 0; step < (rounds ? job.steps : ToyBatches(job)); ++step) {
    bool any = false;
    for (uint32_t slice = 0; slice < (rounds ? job.slices : 1); ++slice) {
      any = any || !NoGradient(job, step, slice, cell);
    }
    updates += any ? 1 : 0;
  }
  return updates;
}

}  // namespace

void ExpectCountedOnce(const SimulationOptions& options, const Simulation::Result& result) {
  const ToyJob& job = options.job;
  const bool rounds = options.mode.rounds();
  uint64_t examples = job.examples;
  if (rounds) {
    examples = 0;
    for (uint64_t step = 0; step < job.steps; ++step) {
      for (uint32_t slice = options.mode.backup; slice < job.slices; ++slice) {
        examples += SliceExamples(job, step, slice).size();
      }
    }
  }
  for (const auto& server : result.counts) {
    for (const Cell::Counts& cell : server) {
      ASSERT_EQ(cell.version, rounds ? job.steps : ToyBatches(job));
      ASSERT_EQ(cell.examples, examples);
    }
  }
  const Placement placement = *Placement::Create(job.variables, options.servers, job.tables);
  for (uint32_t server = 0; server < options.servers; ++server) {
    if (options.mode.backup > 0 && job.sparse) break;
    const auto cells = placement.cells_of_server(server);
    for (size_t i = 0; i < cells.size(); ++i) {
      ASSERT_EQ(result.counts[server][i].updates, UpdatesOf(options, cells[i]));
    }
  }
  for (const v1::ServerStats& stats : result.stats) {
    ASSERT_EQ(stats.min_version(), stats.max_version());
  }
}

}  // namespace convoy::testing
