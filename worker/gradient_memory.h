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

namespace convoy {

// One thread. Takes memory for a variable when its gradient comes for the first time.
class GradientMemory final : public GradientSink {
 public:
  // `variables` outlives it.
  explicit GradientMemory(const std::vector<VariableSpec>* variables)
      : variables_(variables), values_(variables->size()) {}

  // Makes room for the gradients of `floats` floats of rows of the table, of the next batch.
  void SetRows(size_t table, size_t floats);

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
  struct Rows {
    AlignedBuffer values;
    size_t floats = 0;  // in use
  };
  std::vector<Rows> rows_;  // by table
};

}  // namespace convoy

#endif  // CONVOY_WORKER_GRADIENT_MEMORY_H_
