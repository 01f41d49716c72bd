#include "launcher/commands/saved_tables.h"

#include <span>

#include "common/math/table.h"
#include "common/status.h"

namespace convoy {

std::string IdsTensor(const std::string& table) { return table + "/ids"; }
std::string RowsTensor(const std::string& table) { return table + "/rows"; }

SavedTables::SavedTables(uint64_t job_id, const v1::Assignment& assignment,
                         const Placement& placement)
    : placement_(placement) {
  if (placement.tables().empty()) return;
  const auto timeout = absl::Milliseconds(assignment.job().cluster().wait_timeout_ms());
  for (const std::string& address : assignment.servers()) {
    servers_.push_back(std::make_unique<TableReader>(address, job_id, timeout));
  }
}

absl::Status SavedTables::Declare(std::vector<TensorDeclaration>* tensors) {
  for (uint32_t t = 0; t < placement_.tables().size(); ++t) {
    const TableSpec& table = placement_.tables()[t];
    uint64_t rows = 0;
    for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
      CONVOY_ASSIGN_OR_RETURN(
          const v1::ReadTableReply reply,
          servers_[placement_.server_of_bucket(bucket)]->Read(t, bucket, /*count_only=*/true));
      rows += reply.rows();
    }
    tensors->push_back({IdsTensor(table.name), {rows}, "U64"});
    tensors->push_back({RowsTensor(table.name), {rows, table.dim()}});
  }
  return absl::OkStatus();
}

absl::Status SavedTables::Write(SafetensorsWriter& writer) {
  for (uint32_t t = 0; t < placement_.tables().size(); ++t) {
    const TableSpec& table = placement_.tables()[t];
    uint64_t rows = 0;
    for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
      CONVOY_ASSIGN_OR_RETURN(
          const v1::ReadTableReply reply,
          servers_[placement_.server_of_bucket(bucket)]->Read(t, bucket, /*count_only=*/false));
      const std::vector<uint64_t> ids(reply.ids().begin(), reply.ids().end());
      CONVOY_RETURN_IF_ERROR(writer.WriteU64(IdsTensor(table.name), rows, ids));
      CONVOY_RETURN_IF_ERROR(writer.Write(
          RowsTensor(table.name), rows * table.dim(),
          std::span<const float>(reply.values().data(), static_cast<size_t>(reply.values_size()))));
      rows += ids.size();
    }
  }
  return absl::OkStatus();
}

}  // namespace convoy
