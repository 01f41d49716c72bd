// Weights and gradients as a model class sees them, with a record of how it uses them.
#ifndef CONVOY_WORKER_MODELS_CHECKED_PARAMETERS_H_
#define CONVOY_WORKER_MODELS_CHECKED_PARAMETERS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "common/math/variable.h"
#include "worker/layers/weights.h"

namespace convoy {

// For one batch. What it is made of outlives it. `places`: how many ids the model names of each
// table.
class CheckedWeights final : public WeightSource {
 public:
  CheckedWeights(const std::vector<VariableSpec>& variables, const std::vector<TableSpec>& tables,
                 std::span<const size_t> places, WeightSource& weights)
      : variables_(variables), tables_(tables), places_(places), weights_(weights) {}

  absl::StatusOr<std::span<const float>> Weights(int variable) override;
  absl::StatusOr<TableRows> Rows(int table) override;
  // The first error of the weights themselves.
  const absl::Status& failure() const { return failure_; }
  // Internal: the model asked for a variable or table that there is not, or named other ids before.
  const absl::Status& mistake() const { return mistake_; }

 private:
  const std::vector<VariableSpec>& variables_;
  const std::vector<TableSpec>& tables_;
  const std::span<const size_t> places_;
  WeightSource& weights_;
  absl::Status failure_, mistake_;
};

// For one batch. What it is made of outlives it.
class CheckedGradients final : public GradientSink {
 public:
  CheckedGradients(const std::vector<VariableSpec>& variables, const std::vector<TableSpec>& tables,
                   GradientSink& gradients)
      : variables_(variables),
        tables_(tables),
        gradients_(gradients),
        reported_(variables.size()),
        rows_reported_(tables.size()) {}

  // Empty for a variable that there is not.
  std::span<float> Gradient(int variable) override;
  // Internal: not the next piece of the variable; it goes no further.
  absl::Status Ready(int variable, int64_t begin, int64_t end) override;
  // Empty for a table that there is not.
  std::span<float> RowGradients(int table) override;
  // Internal: no table, or reported before; it goes no further.
  absl::Status RowsReady(int table) override;
  // The first error of the gradients themselves.
  const absl::Status& failure() const { return failure_; }
  // Internal: a wrong report, or gradients that were not reported to their end.
  absl::Status Complete() const;

 private:
  absl::Status CheckPiece(int variable, int64_t begin, int64_t end) const;

  const std::vector<VariableSpec>& variables_;
  const std::vector<TableSpec>& tables_;
  GradientSink& gradients_;
  std::vector<int64_t> reported_;    // elements of each variable
  std::vector<bool> rows_reported_;  // of each table
  absl::Status failure_, mistake_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_CHECKED_PARAMETERS_H_
