#include "launcher/commands/checkpoint/export.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files/atomic_file.h"
#include "common/files/file_io.h"
#include "common/files/model_file.h"
#include "common/files/safetensors_writer.h"
#include "common/job/defaults.h"
#include "common/job/job_file.h"
#include "common/math/table.h"
#include "common/status.h"
#include "worker/data/csv/schema_json.h"

namespace convoy {
namespace {

constexpr uint64_t kExportPiece = 65536;  // values written at once

absl::Status CheckIsNew(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("\"", path, "\" is there already; remove it, or choose another name"));
}

std::string Beside(const std::string& path, const std::string& name) {
  return std::filesystem::path(path).replace_filename(name).string();
}

absl::Status MakeFolderOf(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (folder.empty() || std::filesystem::create_directories(folder, error) || !error) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("cannot make folder \"", folder.string(), "\": ", error.message()));
}

// Nothing is done if the same schema is there.
absl::Status WriteSchemaBeside(const std::string& path, const std::string& json) {
  if (json.empty()) return absl::OkStatus();
  CONVOY_ASSIGN_OR_RETURN(const v1::Schema schema, ParseSchema(json, "the checkpoint's schema"));
  const std::string beside = Beside(path, "schema.json");
  const std::string text = SchemaToJson(schema);
  const absl::StatusOr<std::string> found = ReadFile(beside);
  if (absl::IsNotFound(found.status())) return WriteFileAtomically(beside, text);
  CONVOY_RETURN_IF_ERROR(found.status());
  if (*found == text) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "\"", beside, "\" is the schema of another model; export to a folder of its own"));
}

// One that is there is kept if it is of the same model.
absl::Status WriteJobBeside(const std::string& path, const std::string& job) {
  if (job.empty()) return absl::OkStatus();
  const std::string beside = Beside(path, "job.textproto");
  const absl::StatusOr<std::string> found = ReadFile(beside);
  if (absl::IsNotFound(found.status())) return WriteFileAtomically(beside, job);
  CONVOY_RETURN_IF_ERROR(found.status());
  const absl::StatusOr<v1::Job> there = ParseJob(*found, beside, {});
  const absl::StatusOr<v1::Job> own = ParseJob(job, "the checkpoint's job", {});
  const auto model = [](const v1::Job& of) { return ResolveDefaults(of).model(); };
  const bool same =
      there.ok() && own.ok() &&
      google::protobuf::util::MessageDifferencer::Equivalent(model(*there), model(*own));
  if (same || !own.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("\"", beside, "\" is the job of another model; export to a folder of its own"));
}

std::vector<TensorDeclaration> DeclareModel(const CheckpointReader& checkpoint) {
  std::vector<TensorDeclaration> tensors;
  for (const WeightArchive::Variable& variable : checkpoint.variables()) {
    tensors.push_back({variable.name, variable.shape});
  }
  for (const WeightArchive::Table& table : checkpoint.tables()) {
    tensors.push_back({IdsTensor(table.name), {table.rows}, "U64"});
    tensors.push_back({RowsTensor(table.name), {table.rows, table.dim}});
  }
  // Values of 8 bytes lie before those of 4, at multiples of 8.
  std::stable_partition(tensors.begin(), tensors.end(),
                        [](const auto& tensor) { return tensor.dtype == "U64"; });
  return tensors;
}

absl::Status WriteVariable(const CheckpointReader& checkpoint, size_t variable,
                           SafetensorsWriter& writer) {
  std::vector<float> values;
  const uint64_t size = checkpoint.blocks(variable).back().end;
  for (uint64_t first = 0; first < size; first += kExportPiece) {
    values.resize(std::min(kExportPiece, size - first));
    CONVOY_RETURN_IF_ERROR(checkpoint.Read(variable, std::nullopt, first, values));
    CONVOY_RETURN_IF_ERROR(writer.Write(checkpoint.variables()[variable].name, first, values));
  }
  return absl::OkStatus();
}

// Bucket by bucket, as the training saves them.
absl::Status WriteTable(const CheckpointReader& checkpoint, size_t number,
                        SafetensorsWriter& writer) {
  const WeightArchive::Table& table = checkpoint.tables()[number];
  BucketRows rows;
  uint64_t written = 0;
  for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
    CONVOY_RETURN_IF_ERROR(checkpoint.ReadBucket(number, bucket, &rows));
    CONVOY_RETURN_IF_ERROR(writer.WriteU64(IdsTensor(table.name), written, rows.ids));
    CONVOY_RETURN_IF_ERROR(writer.Write(RowsTensor(table.name), written * table.dim, rows.weights));
    written += rows.ids.size();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteWeights(const CheckpointReader& checkpoint, const std::string& path) {
  std::map<std::string, std::string> metadata = {{"format", "convoy"}};
  // The name is for people: weights of a job that this program can't read any more are still
  // weights.
  const auto job = ParseJob(checkpoint.manifest().job, "job", {});
  if (job.ok()) metadata.emplace("job", job->name());
  CONVOY_ASSIGN_OR_RETURN(
      const std::unique_ptr<SafetensorsWriter> writer,
      SafetensorsWriter::Create(path, DeclareModel(checkpoint), std::move(metadata)));
  for (size_t v = 0; v < checkpoint.variables().size(); ++v) {
    CONVOY_RETURN_IF_ERROR(WriteVariable(checkpoint, v, *writer));
  }
  for (size_t t = 0; t < checkpoint.tables().size(); ++t) {
    CONVOY_RETURN_IF_ERROR(WriteTable(checkpoint, t, *writer));
  }
  return writer->Commit();
}

absl::Status ExportCheckpoint(const CheckpointReader& checkpoint, const std::string& path) {
  CONVOY_RETURN_IF_ERROR(CheckIsNew(path));
  CONVOY_RETURN_IF_ERROR(MakeFolderOf(path));
  CONVOY_RETURN_IF_ERROR(WriteSchemaBeside(path, checkpoint.manifest().schema));
  CONVOY_RETURN_IF_ERROR(WriteJobBeside(path, checkpoint.manifest().job));
  return WriteWeights(checkpoint, path);
}

}  // namespace convoy
