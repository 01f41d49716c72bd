#include "worker/gradient_memory.h"

namespace convoy {

std::span<float> GradientMemory::Gradient(int variable) {
  const auto v = static_cast<size_t>(variable);
  values_[v].Reserve(static_cast<size_t>((*variables_)[v].size()));
  return values_[v].span();
}

std::span<float> GradientMemory::RowGradients(int table) {
  Rows& rows = rows_[static_cast<size_t>(table)];
  return {rows.values.data(), rows.floats};
}

void GradientMemory::SetRows(size_t table, size_t floats) {
  if (table >= rows_.size()) rows_.resize(table + 1);
  rows_[table].values.Reserve(floats);
  rows_[table].floats = floats;
}

GradientSpans GradientMemory::spans() {
  GradientSpans spans;
  for (AlignedBuffer& buffer : values_) spans.push_back(buffer.span());
  for (Rows& rows : rows_) spans.push_back({rows.values.data(), rows.floats});
  return spans;
}

void GradientMemory::Add(const GradientMemory& other) {
  for (size_t v = 0; v < values_.size(); ++v) {
    float* const sum = values_[v].data();
    const float* const addend = other.values_[v].data();
    for (size_t i = 0; i < values_[v].size(); ++i) sum[i] += addend[i];
  }
}

}  // namespace convoy
