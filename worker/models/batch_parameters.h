// The weights and rows that one batch reads, and their gradients, in memory.
#ifndef CONVOY_WORKER_MODELS_BATCH_PARAMETERS_H_
#define CONVOY_WORKER_MODELS_BATCH_PARAMETERS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "worker/data/batch.h"
#include "worker/layers/weights.h"
#include "worker/models/model.h"
#include "worker/row_index.h"

namespace convoy {

// Parameters that are initialised together: a variable, or a range of columns of the rows of a
// table that the batch reads.
struct ParameterGroup {
  std::string name;            // "layer1/weight"; of a table "TABLE/RANGE"
  std::vector<int64_t> shape;  // of a table: [rows, columns]
  std::vector<uint64_t> ids;   // of a table: the id of each row

  int64_t size() const;  // elements
};

// For one model and one batch, with the values that a job starts with. One thread.
class BatchParameters final : public WeightSource, public GradientSink {
 public:
  BatchParameters(const Model& model, const Batch& batch, uint64_t seed);

  // The variables of the model, then the ranges of its tables.
  const std::vector<ParameterGroup>& groups() const { return groups_; }
  // Elements of a group are numbered row-major.
  float& weight(size_t group, int64_t element) {
    return weights_[buffer(group)][Index(group, element)];
  }
  float gradient(size_t group, int64_t element) const {
    return gradients_[buffer(group)][Index(group, element)];
  }

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  absl::StatusOr<TableRows> Rows(int table) override;
  std::span<float> Gradient(int variable) override;
  absl::Status Ready(int variable, int64_t begin, int64_t end) override;
  std::span<float> RowGradients(int table) override;
  absl::Status RowsReady(int table) override;

 private:
  // Where a group lies in its buffer: `columns` elements from `begin` on of every `stride`.
  struct Layout {
    size_t buffer = 0;
    int64_t columns = 1, begin = 0, stride = 1;
  };

  void AddVariable(const VariableSpec& spec, uint64_t seed);
  void AddTable(const Model& model, const Batch& batch, int table, uint64_t seed);
  size_t buffer(size_t group) const { return layouts_[group].buffer; }
  size_t Index(size_t group, int64_t element) const;

  std::vector<ParameterGroup> groups_;
  std::vector<Layout> layouts_;                     // of groups_
  std::vector<AlignedBuffer> weights_, gradients_;  // of the variables, then of the tables
  size_t variables_ = 0;
  std::vector<RowIndex> rows_;  // of each table
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_BATCH_PARAMETERS_H_
