// The embedding tables of mode single, in the process that trains: what servers hold in the other
// modes. The worker knows nothing of servers: the launcher makes the tables.
#ifndef CONVOY_WORKER_TABLE_STORE_H_
#define CONVOY_WORKER_TABLE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "proto/job.pb.h"

namespace convoy {

// One thread. Tables are numbered as in Model::tables().
class TableStore {
 public:
  virtual ~TableStore() = default;

  // Writes the rows `ids`, ascending by (bucket, id), as the current step reads them to `out`,
  // [ids, dim].
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
};

struct TableStoreOptions {
  v1::Job job;  // resolved
  std::vector<TableSpec> tables;
  uint32_t slices = 1;
  uint64_t epoch_examples = 1;  // for the defaults of schedules
  uint64_t total_examples = 1;
};

// InvalidArgument: optimizer settings, or rules of tables.
using TableStoreFactory =
    std::function<absl::StatusOr<std::unique_ptr<TableStore>>(const TableStoreOptions&)>;

}  // namespace convoy

#endif  // CONVOY_WORKER_TABLE_STORE_H_
