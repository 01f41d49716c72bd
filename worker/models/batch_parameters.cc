#include "worker/models/batch_parameters.h"

#include <utility>

namespace convoy {

int64_t ParameterGroup::size() const {
  int64_t elements = 1;
  for (const int64_t n : shape) elements *= n;
  return elements;
}

BatchParameters::BatchParameters(const Model& model, const Batch& batch, uint64_t seed)
    : variables_(model.variables().size()) {
  for (const VariableSpec& spec : model.variables()) AddVariable(spec, seed);
  rows_.resize(model.tables().size());
  for (size_t t = 0; t < rows_.size(); ++t) AddTable(model, batch, static_cast<int>(t), seed);
}

void BatchParameters::AddVariable(const VariableSpec& spec, uint64_t seed) {
  layouts_.push_back({weights_.size()});
  groups_.push_back({spec.name, spec.shape, {}});
  gradients_.emplace_back(spec.size());
  InitializeValues(spec, seed, 0, weights_.emplace_back(spec.size()).span());
}

void BatchParameters::AddTable(const Model& model, const Batch& batch, int table, uint64_t seed) {
  const TableSpec& spec = model.tables()[static_cast<size_t>(table)];
  std::vector<uint64_t> ids;
  model.AppendIds(batch, table, &ids);
  RowIndex& index = rows_[static_cast<size_t>(table)];
  index.Build(ids);
  const std::span<const uint64_t> unique = index.unique();
  const size_t dim = spec.dim();
  int64_t begin = 0;
  for (const ColumnRange& range : spec.ranges) {
    layouts_.push_back({weights_.size(), range.size, begin, static_cast<int64_t>(dim)});
    groups_.push_back({spec.name + "/" + range.name,
                       {static_cast<int64_t>(unique.size()), range.size},
                       {unique.begin(), unique.end()}});
    begin += range.size;
  }
  gradients_.emplace_back(unique.size() * dim);
  AlignedBuffer& weights = weights_.emplace_back(unique.size() * dim);
  for (size_t row = 0; row < unique.size(); ++row) {
    InitializeRow(spec, seed, unique[row], weights.span().subspan(row * dim, dim));
  }
}

size_t BatchParameters::Index(size_t group, int64_t element) const {
  const Layout& layout = layouts_[group];
  return static_cast<size_t>(element / layout.columns * layout.stride + layout.begin +
                             element % layout.columns);
}

absl::StatusOr<std::span<const float>> BatchParameters::Weights(int variable) {
  return std::as_const(weights_[static_cast<size_t>(variable)]).span();
}

absl::StatusOr<TableRows> BatchParameters::Rows(int table) {
  const RowIndex& index = rows_[static_cast<size_t>(table)];
  return TableRows{std::as_const(weights_[variables_ + static_cast<size_t>(table)]).span(),
                   index.places(), static_cast<int64_t>(index.unique().size())};
}

std::span<float> BatchParameters::Gradient(int variable) {
  return gradients_[static_cast<size_t>(variable)].span();
}

absl::Status BatchParameters::Ready(int, int64_t, int64_t) { return absl::OkStatus(); }

std::span<float> BatchParameters::RowGradients(int table) {
  return gradients_[variables_ + static_cast<size_t>(table)].span();
}

absl::Status BatchParameters::RowsReady(int) { return absl::OkStatus(); }

}  // namespace convoy
