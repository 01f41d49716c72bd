// What servers do in the other modes, for mode single, in the process that trains: hold the
// embedding tables, and write and read checkpoints. The worker knows nothing of servers: the
// launcher makes it.
#ifndef CONVOY_WORKER_TABLE_STORE_H_
#define CONVOY_WORKER_TABLE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/checkpoint/init_values.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "proto/coordinator.pb.h"
#include "proto/job.pb.h"
#include "worker/local_optimizer.h"

namespace convoy {

// One thread, but for Read. Tables are numbered as in Model::tables().
class TableStore {
 public:
  virtual ~TableStore() = default;

  // Writes the rows `ids`, ascending by (bucket, id), as the current step reads them to `out`,
  // [ids, dim]. Several threads may read at a time, while none does anything else.
  virtual void Read(uint32_t table, std::span<const uint64_t> ids, std::span<float> out) = 0;
  // A slice's gradients of the rows `ids`, [ids, dim], summed over its `examples`; at most once for
  // each table.
  virtual void Push(uint64_t step, uint32_t slice, uint32_t table, std::span<const uint64_t> ids,
                    std::span<const float> gradients, uint64_t examples) = 0;
  // The slice has pushed what it has. The step is taken when all slices have finished.
  virtual void Finish(uint64_t step, uint32_t slice, uint64_t examples) = 0;
  // Appends the rows of a bucket that the saved model has, ids ascending, values [ids, dim].
  virtual void Export(uint32_t table, uint32_t bucket, std::vector<uint64_t>* ids,
                      std::vector<float>* values) = 0;

  // The dense part of a training, which the training itself holds.
  struct Dense {
    std::vector<AlignedBuffer>* weights = nullptr;  // by variable
    LocalOptimizer* optimizer = nullptr;
    uint64_t step = 0;      // steps taken
    uint64_t examples = 0;  // that counted
  };
  // Writes the file of a checkpoint, with the state after the current step, into `folder`, as a
  // server does that is the only one; says its name, size, checksum, step and examples.
  virtual absl::StatusOr<v1::SnapshotState> WriteCheckpoint(const std::string& folder,
                                                            const Dense& dense) = 0;
  // Before the first step: everything as it is in the checkpoint, step and examples too. Errors as
  // CheckpointReader::Open; FailedPrecondition: it is of another model.
  virtual absl::Status Restore(const std::string& folder, Dense* dense) = 0;
};

struct TableStoreOptions {
  v1::Job job;  // resolved
  std::vector<VariableSpec> variables;
  std::vector<TableSpec> tables;
  uint32_t slices = 1;
  uint64_t epoch_examples = 1;  // for the defaults of schedules
  uint64_t total_examples = 1;
  const InitValues* init = nullptr;  // what rows begin as; null: there are none
};

// InvalidArgument: optimizer settings, or rules of tables.
using TableStoreFactory =
    std::function<absl::StatusOr<std::unique_ptr<TableStore>>(const TableStoreOptions&)>;

}  // namespace convoy

#endif  // CONVOY_WORKER_TABLE_STORE_H_
