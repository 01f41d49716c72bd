#include "launcher/process/admission.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/math/variable.h"
#include "common/status.h"
#include "launcher/process/memory_estimate.h"
#include "launcher/process/text_table.h"

namespace convoy {
namespace {

absl::StatusOr<MemoryEstimate> EstimateOf(const v1::Assignment& assignment) {
  std::vector<VariableSpec> variables(static_cast<size_t>(assignment.variables_size()));
  for (size_t i = 0; i < variables.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(FromProto(assignment.variables(static_cast<int>(i)), &variables[i]));
  }
  return EstimateMemory(assignment.job(), variables, assignment.data());
}

std::string MemoryText(uint64_t bytes) { return BytesText(static_cast<double>(bytes)); }

}  // namespace

absl::StatusOr<v1::MemoryReport> AdmitByMemory(const v1::Assignment& assignment,
                                               uint32_t servers_here, uint32_t workers_here) {
  CONVOY_ASSIGN_OR_RETURN(const MemoryEstimate estimate, EstimateOf(assignment));
  v1::MemoryReport report;
  report.set_server_bytes(estimate.server);
  report.set_worker_bytes(estimate.worker);
  report.set_host_bytes(estimate.Total(servers_here, workers_here));
  report.set_without_rows(assignment.tables_size() > 0);
  const absl::StatusOr<MachineMemory> memory = ReadMachineMemory();
  if (!memory.ok()) return report;
  report.set_available_bytes(memory->available_bytes);
  if (assignment.job().cluster().memory_check()) {
    CONVOY_RETURN_IF_ERROR(CheckFits(estimate, servers_here, workers_here, *memory));
  }
  return report;
}

std::string MemoryLine(const v1::MemoryReport& memory) {
  const std::string available =
      memory.available_bytes() == 0
          ? ""
          : absl::StrCat("; ", MemoryText(memory.available_bytes()), " available");
  const std::string what = memory.without_rows() ? "memory without rows of tables: at most about "
                                                 : "memory: at most about ";
  if (memory.server_bytes() == 0)
    return absl::StrCat(what, MemoryText(memory.host_bytes()), available);
  return absl::StrCat(what, MemoryText(memory.server_bytes()), " a server, ",
                      MemoryText(memory.worker_bytes()), " a worker, ",
                      MemoryText(memory.host_bytes()), " in all", available);
}

std::string CoresAdvice(uint32_t servers, uint32_t workers, uint32_t threads_per_worker,
                        uint32_t cores) {
  if (servers + workers * threads_per_worker <= cores) return "";
  const bool several = threads_per_worker > 1;
  return absl::StrCat(servers > 0 ? CountText(servers, "server") + " and " : "",
                      CountText(workers, "worker"),
                      several ? absl::StrCat(" of ", threads_per_worker, " threads") : "",
                      " take turns on ", CountText(cores, "core"), ": more processes ",
                      several ? "or threads " : "", "will not make this job faster here");
}

uint32_t UsableCores() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace convoy
