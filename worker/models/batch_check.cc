#include "worker/models/batch_check.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::Status Differs(const char* what, int64_t got, int64_t want) {
  return absl::InvalidArgumentError(absl::StrCat("batch: got ", got, " ", what, ", want ", want));
}

absl::Status CheckRows(const Batch& batch) {
  const auto& offsets = batch.row_offsets;
  if (static_cast<int64_t>(offsets.size()) != batch.size + 1) {
    return Differs("row offsets", static_cast<int64_t>(offsets.size()), batch.size + 1);
  }
  if (batch.columns.size() != batch.values.size()) {
    return Differs("values", static_cast<int64_t>(batch.values.size()),
                   static_cast<int64_t>(batch.columns.size()));
  }
  if (offsets.front() < 0 || offsets.back() > static_cast<int64_t>(batch.columns.size()) ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch: row offsets must rise from 0 to at most the ", batch.columns.size(), " values"));
  }
  return absl::OkStatus();
}

absl::Status CheckColumns(const Batch& batch) {
  uint32_t largest = 0;
  for (const uint32_t column : batch.columns) largest = std::max(largest, column);
  if (!batch.columns.empty() && largest >= batch.features) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch: got feature index ", largest, ", want less than ", batch.features));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBatch(const Batch& batch, int64_t features, bool sparse) {
  if (batch.size < 0) return Differs("examples", batch.size, 0);
  if (batch.features != features) return Differs("features", batch.features, features);
  if (batch.sparse != sparse) {
    return absl::InvalidArgumentError(absl::StrCat("batch: got ", batch.sparse ? "sparse" : "dense",
                                                   " features, want ",
                                                   sparse ? "sparse" : "dense"));
  }
  const int64_t labels = static_cast<int64_t>(batch.labels.size());
  if (labels != 0 && labels != batch.size) return Differs("labels", labels, batch.size);
  const int64_t weights = static_cast<int64_t>(batch.weights.size());
  if (weights != 0 && weights != batch.size) return Differs("weights", weights, batch.size);
  if (sparse) {
    CONVOY_RETURN_IF_ERROR(CheckRows(batch));
    return CheckColumns(batch);
  }
  const int64_t values = static_cast<int64_t>(batch.dense.size());
  if (values / features < batch.size) return Differs("values", values, batch.size * features);
  return absl::OkStatus();
}

absl::Status CheckTrainingBatch(const Batch& batch, int64_t features, bool sparse) {
  if (batch.size == 0) {
    return absl::InvalidArgumentError("batch: got 0 examples, want at least 1 to train on");
  }
  CONVOY_RETURN_IF_ERROR(CheckBatch(batch, features, sparse));
  if (batch.labels.empty()) return Differs("labels", 0, batch.size);
  return absl::OkStatus();
}

absl::Status CheckVariableMemory(const VariableSpec& spec, std::span<const float> memory) {
  if (static_cast<int64_t>(memory.size()) == spec.size()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("memory of variable \"", spec.name, "\": got ",
                                          memory.size(), " values, want ", spec.size()));
}

}  // namespace convoy
