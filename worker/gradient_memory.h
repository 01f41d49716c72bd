// A gradient in memory, by variable and table.
#ifndef CONVOY_WORKER_GRADIENT_MEMORY_H_
#define CONVOY_WORKER_GRADIENT_MEMORY_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "common/aligned_buffer.h"
#include "common/math/variable.h"
#include "worker/gradient_rules.h"
#include "worker/layers/weights.h"
#include "worker/table_batch.h"

namespace convoy {

// One thread. Takes memory for a variable when its gradient comes for the first time.
class GradientMemory final : public GradientSink {
 public:
  // `variables` outlives it.
  explicit GradientMemory(const std::vector<VariableSpec>* variables)
      : variables_(variables), values_(variables->size()) {}

  // Gradients of rows go to those of `tables`, by table.
  void UseTables(const TableBatches& tables) { tables_ = tables; }

  std::span<float> Gradient(int variable) override;
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  std::span<float> RowGradients(int table) override;
  absl::Status RowsReady(int) override { return absl::OkStatus(); }

  const std::vector<AlignedBuffer>& values() const { return values_; }
  // Variables, then tables.
  GradientSpans spans();
  // this + other, element by element of the variables.
  void Add(const GradientMemory& other);
  // Takes the other's values of variables, and it these. Both are of the same variables.
  void Swap(GradientMemory& other) { values_.swap(other.values_); }

 private:
  const std::vector<VariableSpec>* const variables_;
  std::vector<AlignedBuffer> values_;
  TableBatches tables_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_GRADIENT_MEMORY_H_
