// Weights that are all there, to be read by several threads at a time, and rows of tables, which
// each thread asks for itself.
#ifndef CONVOY_WORKER_WEIGHT_VIEW_H_
#define CONVOY_WORKER_WEIGHT_VIEW_H_

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/layers/weights.h"

namespace convoy {

// Valid for as long as the values that it was taken of. One for each thread.
class WeightView final : public WeightSource {
 public:
  // For `threads` threads. Waits for all `variables` of `weights`, which outlives the views.
  static absl::StatusOr<std::vector<WeightView>> Of(WeightSource& weights, size_t variables,
                                                    size_t threads);

  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return values_[static_cast<size_t>(variable)];
  }
  absl::Status WantRows(int table, std::span<const uint64_t> ids) override {
    return rows_->WantRows(table, ids);
  }
  absl::Status WantRowsAndAnchors(int table, std::span<const uint64_t> ids,
                                  uint32_t anchors) override {
    return rows_->WantRowsAndAnchors(table, ids, anchors);
  }
  void UseWantedRows() override { rows_->UseWantedRows(); }
  absl::StatusOr<TableRows> Rows(int table) override { return rows_->Rows(table); }

 private:
  WeightView(std::vector<std::span<const float>> values, RowSource* rows)
      : values_(std::move(values)), rows_(rows) {}

  std::vector<std::span<const float>> values_;
  RowSource* rows_;  // of the thread
};

}  // namespace convoy

#endif  // CONVOY_WORKER_WEIGHT_VIEW_H_
