#include "worker/models/checked_parameters.h"

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

absl::Status CheckNumber(int variable, const std::vector<VariableSpec>& variables) {
  if (variable >= 0 && static_cast<size_t>(variable) < variables.size()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("it asked for variable ", variable, ", want 0 to ", variables.size() - 1));
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

absl::Status CheckedGradients::Complete() const {
  if (!mistake_.ok()) return mistake_;
  for (size_t v = 0; v < variables_.size(); ++v) {
    if (reported_[v] == variables_[v].size()) continue;
    return absl::InternalError(absl::StrCat("it reported ", reported_[v], " of the ",
                                            variables_[v].size(), " elements of the gradient of \"",
                                            variables_[v].name, "\""));
  }
  return absl::OkStatus();
}

}  // namespace convoy
