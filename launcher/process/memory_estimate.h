// How much memory the processes of a job need, before they take it.
#ifndef CONVOY_LAUNCHER_PROCESS_MEMORY_ESTIMATE_H_
#define CONVOY_LAUNCHER_PROCESS_MEMORY_ESTIMATE_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/math/variable.h"
#include "launcher/process/machine_memory.h"
#include "proto/coordinator.pb.h"
#include "proto/job.pb.h"

namespace convoy {

// What any process has without weights and data: program, threads, and gRPC with what it has
// received and not yet handed on. Measured: 32 MiB on idle servers, up to 10 MiB more under load.
inline constexpr uint64_t kProcessBytes = uint64_t{48} << 20;

// Upper bounds, in bytes. Data caches are shared files that the system can drop: not counted.
struct MemoryEstimate {
  // Of the server that holds most: twice its weights, the optimizer's slots, contributions in
  // progress and the pool of spare buffers (at most 64 MiB).
  //   sync, local_sgd: contributions are out_of_order_budget times its weights (none if there is
  //   one slice); with backups all slices; in local_sgd and geo slots are anchors only; other
  //   modes: what its workers have under way, in_flight_bytes each.
  uint64_t server = kProcessBytes;
  // Of one worker: twice the weights, twice the gradient (local_sgd, geo: its own weights and slots
  // too; single: weights, slots and the sums of the slices' tree), two batches of its largest
  // slice, none of more than an epoch, the order of an epoch (4 bytes an example), and what it
  // shares with each server, at most 4.2 MB. Of cluster.threads_per_worker threads, if there are
  // several, each has a gradient (single: but for one; local_sgd: and weights and slots), batches
  // and an order of its own besides.
  uint64_t worker = kProcessBytes;

  uint64_t Total(uint64_t servers, uint64_t workers) const {
    return servers * server + workers * worker;
  }
};

// `job`: resolved. InvalidArgument: as Placement::Create and MakeOptimizer.
absl::StatusOr<MemoryEstimate> EstimateMemory(const v1::Job& job,
                                              std::span<const VariableSpec> variables,
                                              const v1::DataSummary& data);

// ResourceExhausted if `servers` and `workers` processes of this need do not fit into `memory`;
// says what each needs, what there is and what to do.
absl::Status CheckFits(const MemoryEstimate& estimate, uint64_t servers, uint64_t workers,
                       const MachineMemory& memory);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_MEMORY_ESTIMATE_H_
