#include "launcher/commands/model_saver.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/build_info.h"
#include "common/files/atomic_file.h"
#include "common/files/safetensors_writer.h"
#include "common/mode.h"
#include "common/placement/assigned_placement.h"
#include "common/status.h"
#include "launcher/commands/saved_tables.h"
#include "worker/data/csv/schema_json.h"
#include "worker/parameter_client.h"

namespace convoy {
namespace {

absl::StatusOr<std::unique_ptr<ParameterClient>> ConnectForReading(uint64_t job_id, const v1::Assignment& assignment) {
  CONVOY_ASSIGN_OR_RETURN(Placement placement, PlacementOf(assignment));
  ParameterClient::Options options;
  options.job_id = job_id;
  options.generation = assignment.generation();
  options.worker = assignment.world_size();   // no worker has this number
  options.servers.assign(assignment.servers().begin(), assignment.servers().end());
  CONVOY_ASSIGN_OR_RETURN(options.mode, ParseMode(assignment.job().training().mode()));
  options.wait_timeout = absl::Milliseconds(assignment.job().cluster().wait_timeout_ms());
  return ParameterClient::Connect(std::move(options), std::move(placement));
}

}  // namespace

absl::Status SaveModel(uint64_t job_id, const v1::Assignment& assignment, const std::string& path) {
  if (assignment.has_schema()) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    CONVOY_RETURN_IF_ERROR(WriteFileAtomically(SchemaPathIn(folder), SchemaToJson(assignment.schema())));
  }
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ParameterClient> client, ConnectForReading(job_id, assignment));
  CONVOY_RETURN_IF_ERROR(client->PullAll(kNewestVersion));
  const std::vector<VariableSpec>& variables = client->placement().variables();
  std::vector<TensorDeclaration> tensors;
  for (const VariableSpec& variable : variables) {
    tensors.push_back({variable.name, {variable.shape.begin(), variable.shape.end()}});
  }
  SavedTables tables(job_id, assignment, client->placement());
  CONVOY_RETURN_IF_ERROR(tables.Declare(&tensors));
  // Values of 8 bytes lie before those of 4, at multiples of 8.
  std::stable_partition(tensors.begin(), tensors.end(),
                        [](const auto& tensor) { return tensor.dtype == "U64"; });
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsWriter> writer,
                          SafetensorsWriter::Create(path, tensors,
                                                    {{"format", "convoy"}, {"job", assignment.job().name()}}));
  for (uint32_t v = 0; v < variables.size(); ++v) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const float> values, client->Weights(v));
    CONVOY_RETURN_IF_ERROR(writer->Write(variables[v].name, 0, values));
  }
  CONVOY_RETURN_IF_ERROR(tables.Write(*writer));
  return writer->Commit();
}

}  // namespace convoy
