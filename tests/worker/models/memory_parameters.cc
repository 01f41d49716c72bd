#include "tests/worker/models/memory_parameters.h"

#include <algorithm>
#include <limits>

#include "common/math/random.h"

namespace convoy::testing {

MemoryParameters::MemoryParameters(const std::vector<VariableSpec>& variables)
    : variables_(variables) {
  for (const VariableSpec& spec : variables_) {
    weights_.emplace_back(spec.size());
    gradients_.emplace_back(spec.size());
  }
}

void MemoryParameters::Randomize(uint64_t seed, float scale) {
  for (int v = 0; v < count(); ++v) {
    const RandomStream random(seed, variables_[v].name);
    for (size_t i = 0; i < weights_[v].size(); ++i) weights_[v][i] = scale * random.Normal(i);
  }
}

void MemoryParameters::Initialize(uint64_t seed) {
  for (int v = 0; v < count(); ++v) InitializeValues(variables_[v], seed, 0, weights(v));
}

void MemoryParameters::Step(float rate) {
  for (int v = 0; v < count(); ++v) {
    for (size_t i = 0; i < weights_[v].size(); ++i) weights_[v][i] -= rate * gradients_[v][i];
  }
}

std::vector<float> MemoryParameters::AllGradients() const {
  std::vector<float> all;
  for (const AlignedBuffer& gradient : gradients_) {
    all.insert(all.end(), gradient.span().begin(), gradient.span().end());
  }
  return all;
}

absl::StatusOr<std::span<const float>> MemoryParameters::Weights(int variable) {
  events_.push_back({Event::kWeights, variable});
  if (variable == failing_) return failure_;
  return std::as_const(weights_[variable]).span();
}

std::span<float> MemoryParameters::Gradient(int variable) {
  std::ranges::fill(gradients_[variable].span(), std::numeric_limits<float>::quiet_NaN());
  return gradients_[variable].span();
}

absl::Status MemoryParameters::Ready(int variable, int64_t begin, int64_t end) {
  events_.push_back({Event::kReady, variable, begin, end});
  return absl::OkStatus();
}

Batch DenseBatch(int64_t size, int64_t features, int64_t classes, uint64_t seed) {
  Batch batch;
  batch.size = size;
  batch.features = features;
  batch.dense = AlignedBuffer(size * features);
  RandomStream(seed, "features").FillNormal(0, batch.dense.span());
  const RandomStream targets(seed, "targets");
  for (int64_t i = 0; i < size; ++i) {
    batch.examples.push_back(100 + i);
    batch.labels.push_back(classes == 0 ? targets.Normal(i) : static_cast<float>(i % classes));
  }
  return batch;
}

Batch SparseBatch(int64_t size, int64_t features, int64_t classes, uint64_t seed) {
  Batch batch = DenseBatch(size, features, classes, seed);
  batch.sparse = true;
  batch.row_offsets = {0};
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t column = 0; column < features; ++column) {
      const float value = batch.dense[i * features + column];
      if (value < 0.3f) continue;
      batch.columns.push_back(static_cast<uint32_t>(column));
      batch.values.push_back(value);
    }
    batch.row_offsets.push_back(static_cast<int64_t>(batch.values.size()));
  }
  batch.dense = AlignedBuffer();
  return batch;
}

Batch ToDense(const Batch& sparse) {
  Batch batch = DenseBatch(sparse.size, sparse.features, 0);
  batch.labels = sparse.labels;
  batch.dense = AlignedBuffer(sparse.size * sparse.features);
  for (int64_t i = 0; i < sparse.size; ++i) {
    for (int64_t k = sparse.row_offsets[i]; k < sparse.row_offsets[i + 1]; ++k) {
      batch.dense[i * sparse.features + sparse.columns[k]] += sparse.values[k];
    }
  }
  return batch;
}

}  // namespace convoy::testing
