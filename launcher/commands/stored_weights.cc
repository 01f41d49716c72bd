#include "launcher/commands/stored_weights.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files/model_file.h"
#include "common/files/safetensors_reader.h"
#include "common/name_patterns.h"
#include "common/status.h"
#include "launcher/commands/checkpoint/texts.h"

namespace convoy {
namespace {

absl::StatusOr<AlignedBuffer> ReadValues(const SafetensorsReader& file, const std::string& name,
                                         uint64_t want) {
  CONVOY_ASSIGN_OR_RETURN(AlignedBuffer values, file.Read(name));
  if (values.size() == want) return values;
  return absl::InvalidArgumentError(
      absl::StrCat(file.path(), ": \"", name, "\" has ", values.size(),
                   " values, the model of job.textproto wants ", want));
}

absl::Status DoesNotFit(const WeightArchive& archive, const std::string& name,
                        const std::string& got, const std::string& want) {
  return absl::InvalidArgumentError(absl::StrCat(archive.path(), ": \"", name,
                                                 "\" does not fit the model with these data: got ",
                                                 got, ", want ", want));
}

// The variable, or table, of that name.
template <typename Item>
absl::StatusOr<size_t> NumberIn(const WeightArchive& archive, const std::vector<Item>& items,
                                const std::string& name) {
  std::vector<std::string> names;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].name == name) return i;
    names.push_back(items[i].name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(archive.path(), ": has no \"", name,
                   "\" as the model wants it; there are: ", ListOfNames(names)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoredWeights>> StoredWeights::Read(const std::string& path,
                                                                   const Model& model,
                                                                   uint64_t seed) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> file,
                          SafetensorsReader::Open(path));
  auto weights = std::unique_ptr<StoredWeights>(new StoredWeights(seed));
  for (const VariableSpec& variable : model.variables()) {
    CONVOY_ASSIGN_OR_RETURN(
        AlignedBuffer values,
        ReadValues(*file, variable.name, static_cast<uint64_t>(variable.size())));
    weights->variables_.push_back(std::move(values));
  }
  for (const TableSpec& spec : model.tables()) {
    auto table = std::make_unique<Table>();
    table->spec = spec;
    CONVOY_ASSIGN_OR_RETURN(const std::vector<uint64_t> ids, file->ReadU64(IdsTensor(spec.name)));
    CONVOY_ASSIGN_OR_RETURN(table->rows,
                            ReadValues(*file, RowsTensor(spec.name), ids.size() * spec.dim()));
    table->row_of.reserve(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) table->row_of.emplace(ids[i], i);
    weights->tables_.push_back(std::move(table));
  }
  return weights;
}

absl::StatusOr<std::unique_ptr<StoredWeights>> StoredWeights::Read(const WeightArchive& archive,
                                                                   const Model& model,
                                                                   uint64_t seed) {
  auto weights = std::unique_ptr<StoredWeights>(new StoredWeights(seed));
  for (const VariableSpec& variable : model.variables()) {
    CONVOY_ASSIGN_OR_RETURN(const size_t number,
                            NumberIn(archive, archive.variables(), variable.name));
    const std::vector<uint64_t>& got = archive.variables()[number].shape;
    const std::vector<uint64_t> want(variable.shape.begin(), variable.shape.end());
    if (got != want) return DoesNotFit(archive, variable.name, ShapeText(got), ShapeText(want));
    const auto size = static_cast<uint64_t>(variable.size());
    AlignedBuffer& values = weights->variables_.emplace_back(size);
    CONVOY_RETURN_IF_ERROR(archive.Read(number, std::nullopt, 0, values.span()));
  }
  for (const TableSpec& spec : model.tables()) {
    CONVOY_ASSIGN_OR_RETURN(const size_t number, NumberIn(archive, archive.tables(), spec.name));
    if (const uint32_t dim = archive.tables()[number].dim; dim != spec.dim()) {
      return DoesNotFit(archive, spec.name, absl::StrCat(dim, " columns"),
                        absl::StrCat(spec.dim()));
    }
    auto table = std::make_unique<Table>();
    table->spec = spec;
    table->rows = AlignedBuffer(archive.tables()[number].rows * spec.dim());
    size_t filled = 0;
    CONVOY_RETURN_IF_ERROR(archive.ReadRows(number, [&](const WeightArchive::Rows& rows) {
      for (const uint64_t id : rows.ids) table->row_of.emplace(id, table->row_of.size());
      std::copy(rows.weights.begin(), rows.weights.end(), table->rows.data() + filled);
      filled += rows.weights.size();
      return absl::OkStatus();
    }));
    weights->tables_.push_back(std::move(table));
  }
  return weights;
}

absl::StatusOr<std::span<const float>> StoredWeights::Weights(int variable) {
  return variables_[static_cast<size_t>(variable)].span();
}

absl::Status StoredWeights::WantRows(int table, std::span<const uint64_t> ids) {
  Table& t = *tables_[static_cast<size_t>(table)];
  const size_t dim = t.spec.dim();
  t.index.Build(ids);
  t.values.Reserve(t.index.unique().size() * dim);
  for (size_t i = 0; i < t.index.unique().size(); ++i) {
    const uint64_t id = t.index.unique()[i];
    const std::span<float> out(t.values.data() + i * dim, dim);
    const auto row = t.row_of.find(id);
    if (row == t.row_of.end()) {
      InitializeRow(t.spec, seed_, id, out);
    } else {
      std::copy_n(t.rows.data() + row->second * dim, dim, out.data());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TableRows> StoredWeights::Rows(int table) {
  const Table& t = *tables_[static_cast<size_t>(table)];
  const size_t rows = t.index.unique().size();
  return TableRows{
      {t.values.data(), rows * t.spec.dim()}, t.index.places(), static_cast<int64_t>(rows)};
}

}  // namespace convoy
