#include "launcher/commands/model_saver.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "common/build_info.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/files/atomic_file.h"
#include "common/files/model_file.h"
#include "common/math/table.h"
#include "common/mode.h"
#include "common/net/table_reader.h"
#include "common/placement/assigned_placement.h"
#include "common/status.h"
#include "launcher/commands/checkpoint/export.h"
#include "worker/data/csv/schema_json.h"
#include "worker/parameter_client.h"

namespace convoy {
namespace {

absl::StatusOr<std::unique_ptr<ParameterClient>> ConnectForReading(
    uint64_t job_id, const v1::Assignment& assignment) {
  CONVOY_ASSIGN_OR_RETURN(Placement placement, PlacementOf(assignment));
  ParameterClient::Options options;
  options.job_id = job_id;
  options.generation = assignment.generation();
  options.worker = std::numeric_limits<uint32_t>::max();  // no worker has this number
  options.servers.assign(assignment.servers().begin(), assignment.servers().end());
  CONVOY_ASSIGN_OR_RETURN(options.mode, ParseMode(assignment.job().training().mode()));
  options.checksums = assignment.job().cluster().wire_checksums();
  options.wait_timeout = absl::Milliseconds(assignment.job().cluster().wait_timeout_ms());
  return ParameterClient::Connect(std::move(options), std::move(placement));
}

// Buckets that are asked for before the answer to the first of them is there: the way to a server
// and back is not made 2048 times, one after the other. The answers are in memory at the same time.
constexpr uint32_t kBucketsAhead = 8;
// Of rows that came as they were counted; beyond this they are only counted, and read later.
constexpr uint64_t kMostKeptBytes = uint64_t{16} << 20;

// Variables from the servers by the client, rows bucket by bucket.
class ServerValues final : public ModelValues {
 public:
  ServerValues(uint64_t job_id, const v1::Assignment& assignment, ParameterClient* client)
      : client_(client) {
    if (client->placement().tables().empty()) return;
    const auto timeout = absl::Milliseconds(assignment.job().cluster().wait_timeout_ms());
    for (const std::string& address : assignment.servers())
      servers_.push_back(std::make_unique<TableReader>(address, job_id, timeout));
  }

  absl::StatusOr<std::span<const float>> Variable(size_t variable) override {
    return client_->Weights(static_cast<uint32_t>(variable));
  }
  absl::StatusOr<uint64_t> CountRows(size_t table, uint32_t bucket) override {
    CONVOY_ASSIGN_OR_RETURN(v1::ReadTableReply reply,
                            Next(table, bucket, /*count_only=*/kept_bytes_ >= kMostKeptBytes));
    const uint64_t rows = reply.rows();
    if (static_cast<uint64_t>(reply.ids_size()) == rows) {
      kept_bytes_ += reply.ByteSizeLong();
      kept_[{table, bucket}] = std::move(reply);
    }
    return rows;
  }
  absl::Status ReadRows(size_t table, uint32_t bucket, std::vector<uint64_t>* ids,
                        std::vector<float>* values) override {
    CONVOY_ASSIGN_OR_RETURN(const v1::ReadTableReply reply,
                            Next(table, bucket, /*count_only=*/false));
    ids->insert(ids->end(), reply.ids().begin(), reply.ids().end());
    values->insert(values->end(), reply.values().begin(), reply.values().end());
    return absl::OkStatus();
  }

 private:
  // Of all buckets in turn, from 0 on.
  absl::StatusOr<v1::ReadTableReply> Next(size_t table, uint32_t bucket, bool count_only) {
    if (bucket == 0) asked_ = 0;
    for (; asked_ < std::min(bucket + kBucketsAhead, kTableBuckets); ++asked_) {
      if (!kept_.contains({table, asked_}))
        ServerOf(asked_).Ask(static_cast<uint32_t>(table), asked_, count_only);
    }
    const auto kept = kept_.find({table, bucket});
    if (kept != kept_.end()) return std::move(kept->second);
    return ServerOf(bucket).Await();
  }
  TableReader& ServerOf(uint32_t bucket) {
    return *servers_[client_->placement().server_of_bucket(bucket)];
  }

  ParameterClient* const client_;
  std::vector<std::unique_ptr<TableReader>> servers_;               // by rank
  uint32_t asked_ = 0;                                              // buckets of the present table
  std::map<std::pair<size_t, uint32_t>, v1::ReadTableReply> kept_;  // by table and bucket
  uint64_t kept_bytes_ = 0;
};

absl::Status SaveSchemaBeside(const v1::Assignment& assignment, const std::string& path) {
  if (!assignment.has_schema()) return absl::OkStatus();
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return WriteFileAtomically(SchemaPathIn(folder), SchemaToJson(assignment.schema()));
}

}  // namespace

absl::Status SaveModel(uint64_t job_id, const v1::Assignment& assignment, const std::string& path) {
  CONVOY_RETURN_IF_ERROR(SaveSchemaBeside(assignment, path));
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<ParameterClient> client,
                          ConnectForReading(job_id, assignment));
  CONVOY_RETURN_IF_ERROR(client->PullAll(kNewestVersion));
  ServerValues values(job_id, assignment, client.get());
  return WriteModelFile(path, assignment.job().name(), client->placement().variables(),
                        client->placement().tables(), values);
}

absl::Status SaveModelOfCheckpoint(const std::string& folder, const v1::Assignment& assignment,
                                   const std::string& path) {
  CONVOY_RETURN_IF_ERROR(SaveSchemaBeside(assignment, path));
  CONVOY_RETURN_IF_ERROR(VerifyCheckpoint(folder));
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> checkpoint,
                          CheckpointReader::Open(folder));
  return WriteWeights(*checkpoint, path);
}

}  // namespace convoy
