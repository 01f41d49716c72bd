// Where a model's weights come from and where its gradients go.
#ifndef CONVOY_WORKER_LAYERS_WEIGHTS_H_
#define CONVOY_WORKER_LAYERS_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace convoy {

// The rows of a table that one batch reads, each once, and which of them each place of the batch
// reads.
struct TableRows {
  std::span<const float> values;     // row-major [rows, dim], 64-byte aligned
  std::span<const uint32_t> places;  // by place, in the order of Model::AppendIds: a row
  int64_t rows = 0;
};

// The rows of the tables that batches read. Tables are numbered as in Model::tables().
class RowSource {
 public:
  virtual ~RowSource() = default;
  // The batch that comes next reads these rows of the table, one id for each place. They are asked
  // for while the current batch still computes.
  virtual absl::Status WantRows(int table, std::span<const uint64_t> ids);
  // The same for steps that a worker takes itself: TableRows::values is [rows, dim + anchors], each
  // row followed by what its anchored columns are held near (optimizer.anchor), of which there are
  // `anchors`.
  virtual absl::Status WantRowsAndAnchors(int table, std::span<const uint64_t> ids,
                                          uint32_t anchors);
  // The batch whose rows were asked for last is now the current one.
  virtual void UseWantedRows() {}
  // The rows of the table that the current batch reads, at the version of the current step. May
  // block; stable until the step's gradient of this table is reported ready.
  virtual absl::StatusOr<TableRows> Rows(int table);
};

// The weights, variable by variable. Variables are numbered as in Model::variables().
class WeightSource : public RowSource {
 public:
  // The values of the variable at the version of the current step, row-major float32, 64-byte
  // aligned. May block until they have arrived; stable until the step's gradient of this variable
  // is reported ready.
  virtual absl::StatusOr<std::span<const float>> Weights(int variable) = 0;
  // Where thread `thread` of several gets the rows of its own batches, at the version of this
  // source now; all of them may do so at the same time. Called before they run. By default this
  // source, which has no rows.
  virtual RowSource& RowsOfThread(size_t /*thread*/) { return *this; }
};

// Where gradients go, variable by variable, in any order, usually from the last layer to the first.
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  // Memory for the gradient of the variable, summed over the examples of the batch; row-major,
  // 64-byte aligned, contents undefined.
  virtual std::span<float> Gradient(int variable) = 0;
  // Elements [begin, end) of the gradient are final and may be sent. Every element is reported
  // exactly once; pieces of a variable in ascending order. The variable's weights are not read
  // after its first piece is reported.
  virtual absl::Status Ready(int variable, int64_t begin, int64_t end) = 0;
  // Memory for the gradients of the rows that WeightSource::Rows gave, row-major [rows, dim],
  // summed over the examples and over all places that read the row; 64-byte aligned, contents
  // undefined.
  virtual std::span<float> RowGradients(int table);
  // The gradients of all rows of the table are final and may be sent. Once for each table.
  virtual absl::Status RowsReady(int table);
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_WEIGHTS_H_
