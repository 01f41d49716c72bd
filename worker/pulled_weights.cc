#include "worker/pulled_weights.h"

#include <algorithm>

#include "common/status.h"

namespace convoy {

PulledWeights::PulledWeights(ParameterClient* parameters)
    : parameters_(parameters),
      pool_(parameters->placement().servers()),
      current_(parameters->placement().tables().size()),
      wanted_(current_.size()),
      lowest_(current_.size(), std::vector<uint64_t>(parameters->placement().servers())) {}

absl::StatusOr<std::span<const float>> PulledWeights::Weights(int variable) {
  return parameters_->Weights(static_cast<uint32_t>(variable));
}

absl::Status PulledWeights::WantRows(int table, std::span<const uint64_t> ids) {
  const auto t = static_cast<size_t>(table);
  wanted_[t] = NewBatch(t, ids);
  return parameters_->PullRows(wanted_[t], version_);
}

std::shared_ptr<TableBatch> PulledWeights::NewBatch(size_t table, std::span<const uint64_t> ids) {
  std::shared_ptr<TableBatch> batch =
      pool_.Get(static_cast<uint32_t>(table), parameters_->placement().tables()[table].dim());
  batch->Build(ids);
  return batch;
}

void PulledWeights::UseWantedRows() { current_.swap(wanted_); }

absl::StatusOr<TableRows> PulledWeights::Rows(int table) {
  const TableBatch& batch = *current_[static_cast<size_t>(table)];
  CONVOY_RETURN_IF_ERROR(parameters_->WaitForRows(batch));
  std::vector<uint64_t>& lowest = lowest_[static_cast<size_t>(table)];
  for (const TableBatch::Part& part : batch.parts())
    lowest[part.server] = std::min(lowest[part.server], part.version);
  return batch.rows();
}

void PulledWeights::BeginRound() {
  for (std::vector<uint64_t>& of_table : lowest_)
    std::fill(of_table.begin(), of_table.end(), kNewestVersion);
}

TableBatches PulledWeights::RoundBatches(std::span<const std::vector<uint64_t>> ids) {
  TableBatches batches;
  for (size_t t = 0; t < ids.size(); ++t) {
    batches.push_back(NewBatch(t, ids[t]));
    batches.back()->SetVersions(lowest_[t]);
  }
  return batches;
}

}  // namespace convoy
