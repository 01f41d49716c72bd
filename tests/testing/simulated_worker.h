// What a worker does, as a simulation needs it: driven by events, with the toy model. The rules of
// the protocol are not here but in ClientCore and ServerCore.
#ifndef CONVOY_TESTS_TESTING_SIMULATED_WORKER_H_
#define CONVOY_TESTS_TESTING_SIMULATED_WORKER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/mode.h"
#include "common/net/exchange.h"
#include "common/placement/placement.h"
#include "tests/testing/toy_model.h"

namespace convoy::testing {

class SimulatedWorker {
 public:
  struct Environment {
    std::function<uint64_t(uint64_t below)> random;
    std::function<void(uint32_t server, ExchangeRequest request)> submit;
    std::function<void(std::function<void()>)> after;  // some time later
    // Ids from 1; beyond the last: the end. `finished`: the task before; 0: none.
    std::function<uint64_t(uint64_t finished)> next_task;
    std::function<void(uint32_t worker)> on_read;  // new weights are about to be used
    std::function<void(std::function<void()>)>
        when_all_joined;  // ssp: once every worker has joined the clocks
    std::function<void()> done;
    // Local steps with optimizer.anchor: what servers keep of a cell, and of a row.
    std::function<void(uint32_t cell, const std::vector<float>& anchors)> on_anchors;
    std::function<void(uint32_t table, uint64_t id, const std::vector<float>& anchors)>
        on_row_anchors;
    // Modes with steps, without tables: gradients are sent as soon as the weights that they need
    // are there.
    bool overlaps = false;
    // The task that the worker before has completed last, which servers may not know; 0: none.
    uint64_t completed_task = 0;
  };

  virtual ~SimulatedWorker() = default;
  virtual void Start() = 0;
  virtual void OnReply(const ExchangeRequest& request, const ExchangeReply& reply) = 0;
  virtual uint64_t batches_completed() const { return 0; }
  virtual uint64_t step() const { return 0; }  // that was begun last
  virtual bool holds_task() const { return false; }
};

std::unique_ptr<SimulatedWorker> MakeSimulatedWorker(const ToyJob& job, const Mode& mode,
                                                     const Placement& placement, uint32_t rank,
                                                     uint32_t workers, uint32_t batches_per_task,
                                                     uint64_t first_step,
                                                     SimulatedWorker::Environment environment);

// async, ssp: batches of batch_size / slices examples, cut into tasks.
uint64_t ToyBatches(const ToyJob& job);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_SIMULATED_WORKER_H_
