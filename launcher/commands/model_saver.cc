#include "launcher/commands/model_saver.h"

#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/build_info.h"
#include "common/files/atomic_file.h"
#include "common/files/safetensors_writer.h"
#include "common/math/variable.h"
#include "common/mode.h"
#include "common/placement/placement.h"
#include "common/status.h"
#include "worker/data/csv/schema_json.h"
#include "worker/parameter_client.h"

namespace convoy {
namespace {

absl::StatusOr<std::unique_ptr<ParameterClient>> ConnectForReading(uint64_t job_id, const v1::Assignment& assignment) {
  std::vector<VariableSpec> variables(static_cast<size_t>(assignment.variables_size()));
  for (size_t i = 0; i < variables.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(FromProto(assignment.variables(static_cast<int>(i)), &variables[i]));
  }
  CONVOY_ASSIGN_OR_RETURN(Placement placement, Placement::Create(std::move(variables),
                                                                 static_cast<uint32_t>(assignment.servers_size())));
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
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsWriter> writer,
                          SafetensorsWriter::Create(path, tensors,
                                                    {{"format", "convoy"}, {"job", assignment.job().name()}}));
  for (uint32_t v = 0; v < variables.size(); ++v) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const float> values, client->Weights(v));
    CONVOY_RETURN_IF_ERROR(writer->Write(variables[v].name, 0, values));
  }
  return writer->Commit();
}

}  // namespace convoy
