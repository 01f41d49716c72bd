#include "worker/local_rows.h"

#include <algorithm>
#include <utility>

#include "common/optimizers/anchored.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<LocalRows> LocalRows::Create(const v1::Optimizer& optimizer,
                                            const TableSpec& table) {
  CONVOY_ASSIGN_OR_RETURN(RowUpdater updater, RowUpdater::Create(optimizer, table));
  return LocalRows(std::move(updater));
}

LocalRows::LocalRows(RowUpdater updater) : updater_(std::move(updater)), dim_(updater_.dim()) {
  for (const RowUpdater::SlotColumns& slot : updater_.slot_columns()) {
    if (IsAnchorSlot(slot.name)) anchors_ += slot.size;
  }
}

void LocalRows::Clear() {
  row_of_.clear();
  ids_.clear();
  before_.clear();
  weights_.clear();
  slots_.clear();
  updates_.clear();
}

std::span<const uint64_t> LocalRows::Missing(std::span<const uint64_t> ids) {
  next_->index.Build(ids);
  const size_t known = ids_.size();
  next_->rows.clear();
  for (const uint64_t id : next_->index.unique()) {
    const auto [row, is_new] = row_of_.try_emplace(id, static_cast<uint32_t>(ids_.size()));
    if (is_new) ids_.push_back(id);
    next_->rows.push_back(row->second);
  }
  return std::span(ids_).subspan(known);
}

void LocalRows::Arrive(const TableRows& rows) {
  current_.swap(next_);
  for (const uint32_t place : rows.places) {
    const float* const values = rows.values.data() + size_t{place} * (dim_ + anchors_);
    weights_.insert(weights_.end(), values, values + dim_);
    AddSlots(values + dim_);
  }
  before_.insert(before_.end(), weights_.begin() + static_cast<std::ptrdiff_t>(before_.size()),
                 weights_.end());
  batch_weights_.Reserve(current_->rows.size() * dim_);
  batch_gradients_.Reserve(current_->rows.size() * dim_);
  for (size_t i = 0; i < current_->rows.size(); ++i) {
    std::copy_n(weights_.data() + size_t{current_->rows[i]} * dim_, dim_,
                batch_weights_.data() + i * dim_);
  }
}

void LocalRows::AddSlots(const float* anchors) {
  const size_t begin = slots_.size();
  slots_.resize(begin + updater_.slot_floats());
  float* const slots = slots_.data() + begin;
  updater_.InitializeSlots(slots);
  for (const RowUpdater::SlotColumns& slot : updater_.slot_columns()) {
    if (!IsAnchorSlot(slot.name)) continue;
    std::copy_n(anchors, slot.size, slots + slot.begin);
    anchors += slot.size;
  }
  updates_.push_back(0);
}

TableRows LocalRows::rows() const {
  return {{batch_weights_.data(), current_->rows.size() * dim_},
          current_->index.places(),
          static_cast<int64_t>(current_->rows.size())};
}

std::span<float> LocalRows::gradients() {
  return {batch_gradients_.data(), current_->rows.size() * dim_};
}

void LocalRows::Apply(RowScalars scalars) {
  for (size_t i = 0; i < current_->rows.size(); ++i) {
    const size_t row = current_->rows[i];
    scalars.update = ++updates_[row];
    updater_.Apply(scalars, batch_gradients_.data() + i * dim_, weights_.data() + row * dim_,
                   slots_.data() + row * updater_.slot_floats());
  }
}

std::vector<uint64_t> LocalRows::UpdatedIds() const {
  std::vector<uint64_t> ids;
  for (size_t row = 0; row < updates_.size(); ++row) {
    if (updates_[row] > 0) ids.push_back(ids_[row]);
  }
  return ids;
}

void LocalRows::Differences(float factor, std::span<const uint32_t> places,
                            std::span<float> out) const {
  size_t next = 0;
  for (size_t row = 0; row < updates_.size(); ++row) {
    if (updates_[row] == 0) continue;
    float* const difference = out.data() + size_t{places[next++]} * dim_;
    const float* const now = weights_.data() + row * dim_;
    const float* const before = before_.data() + row * dim_;
    for (uint32_t c = 0; c < dim_; ++c) difference[c] = factor * (now[c] - before[c]);
  }
}

}  // namespace convoy
