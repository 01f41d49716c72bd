#include "worker/pulled_weights.h"

#include <algorithm>

#include "common/status.h"

namespace convoy {

PulledWeights::PulledWeights(ParameterClient* parameters) : PulledWeights(parameters, nullptr) {}

PulledWeights::PulledWeights(ParameterClient* parameters, Turns* turns)
    : parameters_(parameters),
      turns_(turns == nullptr ? &own_turns_ : turns),
      pool_(parameters->placement().servers()),
      current_(parameters->placement().tables().size()),
      wanted_(current_.size()),
      lowest_(current_.size(), std::vector<uint64_t>(parameters->placement().servers())) {}

absl::StatusOr<std::span<const float>> PulledWeights::Weights(int variable) {
  return parameters_->Weights(static_cast<uint32_t>(variable));
}

absl::Status PulledWeights::WantRows(int table, std::span<const uint64_t> ids) {
  return WantRowsAndAnchors(table, ids, /*anchors=*/0);
}

absl::Status PulledWeights::WantRowsAndAnchors(int table, std::span<const uint64_t> ids,
                                               uint32_t anchors) {
  const auto t = static_cast<size_t>(table);
  wanted_[t] = NewBatch(t, ids, anchors);
  MutexLock lock(turns_->mutex);
  return parameters_->PullRows(wanted_[t], version_);
}

std::shared_ptr<TableBatch> PulledWeights::NewBatch(size_t table, std::span<const uint64_t> ids,
                                                    uint32_t anchors) {
  std::shared_ptr<TableBatch> batch = pool_.Get(
      static_cast<uint32_t>(table), parameters_->placement().tables()[table].dim(), anchors);
  batch->Build(ids);
  return batch;
}

void PulledWeights::UseWantedRows() { current_.swap(wanted_); }

absl::StatusOr<TableRows> PulledWeights::Rows(int table) {
  const TableBatch& batch = *current_[static_cast<size_t>(table)];
  CONVOY_RETURN_IF_ERROR(WaitFor(batch));
  std::vector<uint64_t>& lowest = lowest_[static_cast<size_t>(table)];
  for (const TableBatch::Part& part : batch.parts())
    lowest[part.server] = std::min(lowest[part.server], part.version);
  return batch.rows();
}

RowSource& PulledWeights::RowsOfThread(size_t thread) {
  while (threads_.size() <= thread) {
    threads_.push_back(std::unique_ptr<PulledWeights>(new PulledWeights(parameters_, turns_)));
  }
  threads_[thread]->SetVersion(version_);
  return *threads_[thread];
}

absl::Status PulledWeights::WaitFor(const TableBatch& batch) {
  turns_->waiting.fetch_add(1, std::memory_order_relaxed);
  absl::Status status;
  {
    MutexLock lock(turns_->mutex);
    status = parameters_->WaitForRows(batch);
  }
  turns_->waiting.fetch_sub(1, std::memory_order_relaxed);
  return status;
}

absl::Status PulledWeights::Poll() {
  if (turns_->waiting.load(std::memory_order_relaxed) > 0) return absl::OkStatus();
  MutexLock lock(turns_->mutex);
  return parameters_->Poll();
}

void PulledWeights::BeginRound() {
  for (std::vector<uint64_t>& of_table : lowest_)
    std::fill(of_table.begin(), of_table.end(), kNewestVersion);
}

TableBatches PulledWeights::RoundBatches(std::span<const std::vector<uint64_t>> ids) {
  TableBatches batches;
  for (size_t t = 0; t < ids.size(); ++t) {
    batches.push_back(NewBatch(t, ids[t], /*anchors=*/0));
    batches.back()->SetVersions(lowest_[t]);
  }
  return batches;
}

}  // namespace convoy
