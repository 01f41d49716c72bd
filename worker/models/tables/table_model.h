// What models with tables have in common: one score an example, its loss, and the rows of the
// batch.
#ifndef CONVOY_WORKER_MODELS_TABLES_TABLE_MODEL_H_
#define CONVOY_WORKER_MODELS_TABLES_TABLE_MODEL_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "worker/layers/loss.h"
#include "worker/models/model.h"
#include "worker/models/tables/places.h"

namespace convoy {

// A derived class declares variables and tables in its constructor, and computes scores and the
// gradients of what they depend on. It has at least one variable.
class TableModel : public Model {
 public:
  Task task() const override { return task_; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  const std::vector<TableSpec>& tables() const override { return tables_; }
  // The ids of all places of the batch, for each table; none of a batch that Train would refuse.
  void AppendIds(const Batch& batch, int table, std::vector<uint64_t>* ids) const override;
  absl::Status CheckLabel(float label, float* mapped) const override;
  // InvalidArgument: the batch does not fit the model. Errors of `weights` and `gradients` are
  // passed on.
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override;
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override;
  bool weighs_examples() const override { return true; }

 protected:
  // `task`: kRegression (squared error) or kBinary (sigmoid cross-entropy).
  explicit TableModel(Task task);

  // To be called in the constructor. They return the number of what is added.
  int AddVariable(VariableSpec variable);
  int AddTable(TableSpec table);
  // A variable "bias" of one element.
  int AddBias(float start = 0);

  // InvalidArgument: a batch that CheckIdBatch accepts, but not this model.
  virtual absl::Status CheckExamples(const Batch& batch) const;
  // Places of `table` in `batch` (as many as AppendIds appends).
  virtual int64_t PlacesOf(const Batch& batch) const;
  // Adds to the scores of all examples, which are zeros.
  virtual absl::Status AddScores(const Batch& batch, bool training, WeightSource& weights,
                                 std::span<float> scores) = 0;
  // Follows AddScores of the same training batch: reports the gradients of all variables and
  // tables.
  virtual absl::Status Gradients(const Batch& batch, std::span<const float> score_gradient,
                                 GradientSink& gradients) = 0;

  // Of the batch at work.
  const TableRows& rows(int table) const { return rows_[static_cast<size_t>(table)]; }
  // Where the examples read `table`, for models that read a row at each place.
  Places PlacesIn(const Batch& batch, int table) const;
  // The memory for the gradients of the rows of `table`, zeroed. Internal: it has another size.
  absl::StatusOr<std::span<float>> ZeroedGradients(int table, GradientSink& gradients) const;
  // Adds variable `bias` to the scores; reports its gradient.
  static absl::Status AddBiasTo(int bias, WeightSource& weights, std::span<float> scores);
  static absl::Status BiasGradient(int bias, std::span<const float> score_gradient,
                                   GradientSink& gradients);

 private:
  absl::Status Check(const Batch& batch, bool training) const;
  absl::StatusOr<BatchOutput> Forward(const Batch& batch, bool training, WeightSource& weights);

  const Task task_;
  const std::unique_ptr<const Loss> loss_;
  std::vector<VariableSpec> variables_;
  std::vector<TableSpec> tables_;
  std::vector<TableRows> rows_;  // of each table
  AlignedBuffer scores_, predictions_, score_gradient_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_TABLE_MODEL_H_
