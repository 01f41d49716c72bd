#include "worker/models/checked_parameters.h"

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

absl::Status CheckNumber(int variable, const std::vector<VariableSpec>& variables) {
  if (variable >= 0 && static_cast<size_t>(variable) < variables.size()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("it asked for variable ", variable, ", want 0 to ", variables.size() - 1));
}

absl::Status CheckTable(int table, const std::vector<TableSpec>& tables) {
  if (table >= 0 && static_cast<size_t>(table) < tables.size()) return absl::OkStatus();
  if (tables.empty()) {
    return absl::InternalError(
        absl::StrCat("it asked for table ", table, ", but its tables() are none"));
  }
  return absl::InternalError(
      absl::StrCat("it asked for table ", table, ", want 0 to ", tables.size() - 1));
}

}  // namespace

absl::StatusOr<std::span<const float>> CheckedWeights::Weights(int variable) {
  if (absl::Status status = CheckNumber(variable, variables_); !status.ok()) {
    mistake_.Update(status);
    return status;
  }
  absl::StatusOr<std::span<const float>> weights = weights_.Weights(variable);
  failure_.Update(weights.status());
  return weights;
}

absl::StatusOr<TableRows> CheckedWeights::Rows(int table) {
  if (absl::Status status = CheckTable(table, tables_); !status.ok()) {
    mistake_.Update(status);
    return status;
  }
  absl::StatusOr<TableRows> rows = weights_.Rows(table);
  failure_.Update(rows.status());
  const size_t places = places_[static_cast<size_t>(table)];
  if (!rows.ok() || rows->places.size() == places) return rows;
  mistake_.Update(absl::InternalError(
      absl::StrCat("the rows of table \"", tables_[static_cast<size_t>(table)].name,
                   "\" are those of ", rows->places.size(), " ids, but AppendIds now names ",
                   places, " of the same batch: it must depend on batch and table alone")));
  return mistake_;
}

std::span<float> CheckedGradients::Gradient(int variable) {
  mistake_.Update(CheckNumber(variable, variables_));
  return mistake_.ok() ? gradients_.Gradient(variable) : std::span<float>();
}

absl::Status CheckedGradients::CheckPiece(int variable, int64_t begin, int64_t end) const {
  if (absl::Status status = CheckNumber(variable, variables_); !status.ok()) return status;
  const VariableSpec& spec = variables_[static_cast<size_t>(variable)];
  const int64_t next = reported_[static_cast<size_t>(variable)];
  if (begin == next && begin < end && end <= spec.size()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("it reported elements [", begin, ", ", end,
                                          ") of the gradient of \"", spec.name, "\", want ", next,
                                          " to at most ", spec.size()));
}

absl::Status CheckedGradients::Ready(int variable, int64_t begin, int64_t end) {
  if (absl::Status status = CheckPiece(variable, begin, end); !status.ok()) {
    mistake_.Update(status);
    return status;
  }
  reported_[static_cast<size_t>(variable)] = end;
  absl::Status status = gradients_.Ready(variable, begin, end);
  failure_.Update(status);
  return status;
}

std::span<float> CheckedGradients::RowGradients(int table) {
  mistake_.Update(CheckTable(table, tables_));
  return mistake_.ok() ? gradients_.RowGradients(table) : std::span<float>();
}

absl::Status CheckedGradients::RowsReady(int table) {
  absl::Status status = CheckTable(table, tables_);
  if (status.ok() && rows_reported_[static_cast<size_t>(table)]) {
    status = absl::InternalError(absl::StrCat("it reported the gradients of the rows of table \"",
                                              tables_[static_cast<size_t>(table)].name,
                                              "\" twice, want once for each batch"));
  }
  if (!status.ok()) {
    mistake_.Update(status);
    return status;
  }
  rows_reported_[static_cast<size_t>(table)] = true;
  status = gradients_.RowsReady(table);
  failure_.Update(status);
  return status;
}

absl::Status CheckedGradients::Complete() const {
  if (!mistake_.ok()) return mistake_;
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (rows_reported_[t]) continue;
    return absl::InternalError(
        absl::StrCat("it did not report the gradients of the rows of table \"", tables_[t].name,
                     "\": it must call gradients.RowsReady(", t,
                     ") once for each batch, also if it has no ids"));
  }
  for (size_t v = 0; v < variables_.size(); ++v) {
    if (reported_[v] == variables_[v].size()) continue;
    return absl::InternalError(absl::StrCat("it reported ", reported_[v], " of the ",
                                            variables_[v].size(), " elements of the gradient of \"",
                                            variables_[v].name, "\""));
  }
  return absl::OkStatus();
}

}  // namespace convoy
