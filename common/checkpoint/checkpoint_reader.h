// A complete checkpoint: whole variables and tables as an archive of weights, and, for a job that
// goes on exactly, cell by cell with its counters, marks and slots. However many servers wrote it,
// and however many read it.
#ifndef CONVOY_COMMON_CHECKPOINT_CHECKPOINT_READER_H_
#define CONVOY_COMMON_CHECKPOINT_CHECKPOINT_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/bucket_rows.h"
#include "common/checkpoint/manifest.h"
#include "common/checkpoint/server_file.h"
#include "common/checkpoint/weight_archive.h"

namespace convoy {

// Any thread; nothing changes once it is open. Variables and tables have the numbers that they have
// in the manifest.
class CheckpointReader final : public WeightArchive {
 public:
  struct Block {
    uint64_t begin = 0;  // values [begin, end) of the variable
    uint64_t end = 0;
    const CheckpointCell* cell = nullptr;
    const SafetensorsReader* file = nullptr;
  };

  // `folder`: of one checkpoint. Reads the manifest and the beginning of each file, and checks that
  // they fit together: every value of every variable and every bucket of every table is there
  // exactly once. Of a delta checkpoint also its base, and so on. Values are not checked, see
  // VerifyCheckpoint.
  // NotFound: there is no manifest. DataLoss: it is damaged; names the file and the tensor.
  // Unimplemented: of a newer version.
  static absl::StatusOr<std::unique_ptr<CheckpointReader>> Open(const std::string& folder);

  const CheckpointManifest& manifest() const { return manifest_; }

  // Weight archive.
  const std::string& path() const override { return folder_; }
  const std::vector<Variable>& variables() const override { return variables_; }
  const std::vector<Table>& tables() const override { return tables_; }
  absl::Status Read(size_t variable, std::optional<size_t> slot, uint64_t first,
                    std::span<float> out) const override;
  uint64_t Updates(size_t variable, uint64_t value) const override;
  absl::Status ReadRows(size_t table,
                        absl::FunctionRef<absl::Status(const Rows&)> fn) const override;

  // The servers that wrote it: each one's own cell, and the data tasks [first, last] that all of
  // its cells have counted.
  uint32_t servers() const { return static_cast<uint32_t>(files_.size()); }
  const CheckpointCell& server_cell(uint32_t server) const { return files_[server]->own_cell(); }
  const std::vector<std::pair<uint64_t, uint64_t>>& complete_tasks(uint32_t server) const {
    return files_[server]->complete();
  }

  // The blocks of a variable, ascending, without holes. Read(variable, slot, begin, ...) reads one.
  std::span<const Block> blocks(size_t variable) const { return blocks_[variable]; }
  // The block that begins there; null: none does.
  const Block* FindBlock(size_t variable, uint64_t begin) const;

  const CheckpointCell& bucket_cell(size_t table, uint32_t bucket) const;
  uint64_t bucket_rows(size_t table, uint32_t bucket) const;
  // All rows of a bucket. DataLoss: the ids are not ascending, or not of this bucket.
  absl::Status ReadBucket(size_t table, uint32_t bucket, BucketRows* rows) const;
  // The ids of a bucket that are not admitted yet, ascending. DataLoss as ReadBucket.
  absl::StatusOr<std::vector<WaitingId>> ReadWaiting(size_t table, uint32_t bucket) const;
  // Of all buckets.
  uint64_t waiting_ids(size_t table) const;

 private:
  struct Bucket {
    const ServerFile::Bucket* entry = nullptr;
    const SafetensorsReader* file = nullptr;
    bool is_delta = false;
  };

  explicit CheckpointReader(std::string folder) : folder_(std::move(folder)) {}
  absl::Status OpenBase();
  absl::Status OpenFiles();
  absl::Status IndexBlocks();
  absl::Status IndexBuckets();
  void Describe();
  // Rows [first, first + count) of those of the bucket that are in the file.
  absl::Status ReadPiece(size_t table, const Bucket& bucket, uint64_t first, uint64_t count,
                         BucketRows* rows) const;
  // Rows [first, first + count) of the bucket's part of the file, checked. `before`: the id before.
  absl::Status ReadIds(size_t table, const Bucket& bucket, uint64_t first, uint64_t count,
                       std::optional<uint64_t> before, BucketRows* rows) const;
  absl::Status ReadDelta(size_t table, const Bucket& bucket, BucketRows* rows) const;

  const std::string folder_;
  std::unique_ptr<CheckpointReader> base_;  // of a delta checkpoint
  CheckpointManifest manifest_;
  std::vector<std::unique_ptr<ServerFile>> files_;  // by server
  std::vector<std::vector<Block>> blocks_;          // by variable
  std::vector<std::vector<Bucket>> buckets_;        // by table and bucket
  std::vector<Variable> variables_;
  std::vector<Table> tables_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_CHECKPOINT_READER_H_
