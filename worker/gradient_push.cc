#include "worker/gradient_push.h"

#include <atomic>
#include <utility>

#include "common/status.h"

namespace convoy {

GradientPush::GradientPush(ParameterClient* client, Options options)
    : client_(client), options_(options) {
  const std::vector<VariableSpec>& variables = client->placement().variables();
  for (size_t v = 0; v < variables.size(); ++v) {
    const auto size = static_cast<size_t>(variables[v].size());
    sum_.push_back(std::make_shared<AlignedBuffer>(client->frozen().variable(v) ? 0 : size));
    addend_.push_back(std::make_shared<AlignedBuffer>());
    spare_.push_back(std::make_shared<AlignedBuffer>(client->overlap() ? sum_.back()->size() : 0));
  }
}

absl::Status GradientPush::Begin(const ParameterClient::PushHeader& header) {
  kept_ = false;
  if (client_->overlap()) std::swap(sum_, spare_);
  return client_->BeginPush(header);
}

void GradientPush::BeginSlice(bool last, const TableBatches& tables) {
  last_ = last;
  tables_ = tables;
}

std::span<float> GradientPush::RowGradients(int table) {
  return tables_[static_cast<size_t>(table)]->gradients();
}

absl::Status GradientPush::RowsReady(int table) {
  if (WithholdsSlice() || client_->frozen().table(static_cast<size_t>(table))) {
    return absl::OkStatus();
  }
  return client_->PushRows(*tables_[static_cast<size_t>(table)]);
}

std::span<float> GradientPush::Gradient(int variable) {
  const auto v = static_cast<size_t>(variable);
  Buffer& buffer = kept_ ? addend_[v] : sum_[v];
  // What an earlier push sent from this memory must have left it.
  if (absl::Status status = WaitUntilFree(buffer); !status.ok()) failure_.Update(status);
  buffer->Reserve(sum_[v]->size());
  return buffer->span();
}

absl::Status GradientPush::WaitUntilFree(const Buffer& buffer) {
  return client_->WaitUntil([&] {
    if (buffer.use_count() > 1) return false;
    std::atomic_thread_fence(std::memory_order_acquire);
    return true;
  });
}

absl::Status GradientPush::Ready(int variable, int64_t begin, int64_t end) {
  CONVOY_RETURN_IF_ERROR(failure_);
  if (WithholdsSlice()) return absl::OkStatus();
  return Forward(variable, begin, end);
}

absl::Status GradientPush::Forward(int variable, int64_t begin, int64_t end) {
  const auto v = static_cast<size_t>(variable);
  if (kept_) {
    float* sum = sum_[v]->data();
    const float* addend = addend_[v]->data();
    for (int64_t i = begin; i < end; ++i) sum[i] += addend[i];
  }
  if (!last_) return absl::OkStatus();
  return client_->PushUpTo(static_cast<uint32_t>(variable), end, sum_[v]->span(), sum_[v]);
}

absl::StatusOr<bool> GradientPush::EndSlice(uint32_t examples) {
  CONVOY_RETURN_IF_ERROR(failure_);
  if (WithholdsSlice()) {
    if (options_.skip_not_finite && !IsFinite(SliceSpans())) {
      client_->RemoveExamples(examples);
      return false;
    }
    if (options_.clip_norm > 0) ClipNorm(examples, options_.clip_norm, SliceSpans());
    for (size_t v = sum_.size(); v-- > 0;) {
      CONVOY_RETURN_IF_ERROR(
          Forward(static_cast<int>(v), 0, static_cast<int64_t>(sum_[v]->size())));
    }
    for (const auto& table : tables_) {
      if (client_->frozen().table(table->table())) continue;
      CONVOY_RETURN_IF_ERROR(client_->PushRows(*table));
    }
  }
  kept_ = true;
  return true;
}

absl::Status GradientPush::End() {
  if (kept_) {
    for (uint32_t v = 0; v < sum_.size(); ++v) {
      CONVOY_RETURN_IF_ERROR(
          client_->PushUpTo(v, static_cast<int64_t>(sum_[v]->size()), sum_[v]->span(), sum_[v]));
    }
  }
  return client_->EndPush();
}

GradientSpans GradientPush::SliceSpans() const {
  GradientSpans spans;
  for (const Buffer& buffer : kept_ ? addend_ : sum_) spans.push_back(buffer->span());
  for (const auto& table : tables_) spans.push_back(table->gradients());
  return spans;
}

}  // namespace convoy
