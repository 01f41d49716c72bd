#include "common/files/model_file.h"

#include <memory>

#include "common/files/safetensors_writer.h"
#include "common/status.h"

namespace convoy {
namespace {

// Values of 8 bytes lie before those of 4, at multiples of 8.
absl::StatusOr<std::vector<TensorDeclaration>> Declare(std::span<const VariableSpec> variables,
                                                       std::span<const TableSpec> tables,
                                                       ModelValues& values) {
  std::vector<TensorDeclaration> tensors, rows_tensors;
  for (size_t t = 0; t < tables.size(); ++t) {
    uint64_t rows = 0;
    for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
      CONVOY_ASSIGN_OR_RETURN(const uint64_t count, values.CountRows(t, bucket));
      rows += count;
    }
    tensors.push_back({IdsTensor(tables[t].name), {rows}, "U64"});
    rows_tensors.push_back({RowsTensor(tables[t].name), {rows, tables[t].dim()}});
  }
  for (const VariableSpec& variable : variables)
    tensors.push_back({variable.name, {variable.shape.begin(), variable.shape.end()}});
  tensors.insert(tensors.end(), rows_tensors.begin(), rows_tensors.end());
  return tensors;
}

absl::Status WriteTable(size_t number, const TableSpec& table, ModelValues& values,
                        SafetensorsWriter& writer) {
  uint64_t rows = 0;
  std::vector<uint64_t> ids;
  std::vector<float> floats;
  for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
    ids.clear();
    floats.clear();
    CONVOY_RETURN_IF_ERROR(values.ReadRows(number, bucket, &ids, &floats));
    CONVOY_RETURN_IF_ERROR(writer.WriteU64(IdsTensor(table.name), rows, ids));
    CONVOY_RETURN_IF_ERROR(writer.Write(RowsTensor(table.name), rows * table.dim(), floats));
    rows += ids.size();
  }
  return absl::OkStatus();
}

}  // namespace

std::string IdsTensor(const std::string& table) { return table + "/ids"; }
std::string RowsTensor(const std::string& table) { return table + "/rows"; }

absl::Status WriteModelFile(const std::string& path, const std::string& job,
                            std::span<const VariableSpec> variables,
                            std::span<const TableSpec> tables, ModelValues& values) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<TensorDeclaration> tensors,
                          Declare(variables, tables, values));
  CONVOY_ASSIGN_OR_RETURN(
      const std::unique_ptr<SafetensorsWriter> writer,
      SafetensorsWriter::Create(path, tensors, {{"format", "convoy"}, {"job", job}}));
  for (size_t v = 0; v < variables.size(); ++v) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const float> floats, values.Variable(v));
    CONVOY_RETURN_IF_ERROR(writer->Write(variables[v].name, 0, floats));
  }
  for (size_t t = 0; t < tables.size(); ++t)
    CONVOY_RETURN_IF_ERROR(WriteTable(t, tables[t], values, *writer));
  return writer->Commit();
}

}  // namespace convoy
