#include "worker/pulled_weights.h"

#include "common/status.h"

namespace convoy {

PulledWeights::PulledWeights(ParameterClient* parameters)
    : parameters_(parameters),
      pool_(parameters->placement().servers()),
      current_(parameters->placement().tables().size()),
      wanted_(current_.size()) {}

absl::StatusOr<std::span<const float>> PulledWeights::Weights(int variable) {
  return parameters_->Weights(static_cast<uint32_t>(variable));
}

absl::Status PulledWeights::WantRows(int table, std::span<const uint64_t> ids) {
  const auto t = static_cast<size_t>(table);
  wanted_[t] = pool_.Get(static_cast<uint32_t>(table), parameters_->placement().tables()[t].dim());
  wanted_[t]->Build(ids);
  return parameters_->PullRows(wanted_[t], version_);
}

void PulledWeights::UseWantedRows() { current_.swap(wanted_); }

absl::StatusOr<TableRows> PulledWeights::Rows(int table) {
  const TableBatch& batch = *current_[static_cast<size_t>(table)];
  CONVOY_RETURN_IF_ERROR(parameters_->WaitForRows(batch));
  return batch.rows();
}

}  // namespace convoy
