#include "worker/models/tables/id_batch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::Status CheckCount(const char* what, size_t got, size_t want, bool optional = false) {
  if (got == want || (optional && got == 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("batch: got ", got, " ", what, ", want ", want));
}

}  // namespace

absl::Status CheckIdBatch(const Batch& batch) {
  if (batch.size < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch: got ", batch.size, " examples, want at least 0"));
  }
  if (!batch.sparse) return absl::InvalidArgumentError("batch: got dense features, want sparse");
  const auto size = static_cast<size_t>(batch.size);
  const auto& offsets = batch.row_offsets;
  const size_t values = batch.values.size();
  CONVOY_RETURN_IF_ERROR(CheckCount("labels", batch.labels.size(), size, /*optional=*/true));
  CONVOY_RETURN_IF_ERROR(CheckCount("weights", batch.weights.size(), size, /*optional=*/true));
  CONVOY_RETURN_IF_ERROR(CheckCount("row offsets", offsets.size(), size + 1));
  if (batch.ids.empty()) {
    CONVOY_RETURN_IF_ERROR(CheckCount("columns", batch.columns.size(), values));
  } else {
    CONVOY_RETURN_IF_ERROR(CheckCount("ids", batch.ids.size(), values));
  }
  CONVOY_RETURN_IF_ERROR(CheckCount("fields", batch.fields.size(), values, /*optional=*/true));
  if (offsets.front() == 0 && offsets.back() == static_cast<int64_t>(values) &&
      std::is_sorted(offsets.begin(), offsets.end())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("batch: row offsets must rise from 0 to the ", values, " values"));
}

absl::Status CheckIdTrainingBatch(const Batch& batch) {
  if (batch.size == 0) {
    return absl::InvalidArgumentError("batch: got 0 examples, want at least 1 to train on");
  }
  CONVOY_RETURN_IF_ERROR(CheckIdBatch(batch));
  return CheckCount("labels", batch.labels.size(), static_cast<size_t>(batch.size));
}

void AppendPlaceIds(const Batch& batch, std::vector<uint64_t>* ids) {
  if (batch.ids.empty()) {
    ids->insert(ids->end(), batch.columns.begin(), batch.columns.end());
  } else {
    ids->insert(ids->end(), batch.ids.begin(), batch.ids.end());
  }
}

absl::Status CheckTableRows(const TableSpec& table, const TableRows& rows, int64_t places) {
  const int64_t values = rows.rows * table.dim();
  if (static_cast<int64_t>(rows.places.size()) == places &&
      static_cast<int64_t>(rows.values.size()) == values) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("rows of table \"", table.name, "\": got ",
                                          rows.places.size(), " places and ", rows.values.size(),
                                          " values, want ", places, " and ", values, " (",
                                          rows.rows, " rows x ", table.dim(), ")"));
}

absl::Status CheckSparseInput(const ModelInput& input, const std::string& kind) {
  if (input.sparse) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "model.", kind, " needs sparse data, each value with its id, got dense examples of ",
      input.features, " features"));
}

}  // namespace convoy
