// One server's file of a checkpoint (docs/checkpoints.md), checked when it is opened: every cell of
// "/cells" has its tensors, of the right type and shape, and no tensor is left over.
#ifndef CONVOY_COMMON_CHECKPOINT_SERVER_FILE_H_
#define CONVOY_COMMON_CHECKPOINT_SERVER_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/manifest.h"
#include "common/checkpoint/server_file_layout.h"
#include "common/files/safetensors_reader.h"

namespace convoy {

// How far a cell is.
struct CheckpointCell {
  // The batch of a task that the cell counts next.
  struct Mark {
    uint64_t task = 0;
    uint64_t next = 0;
  };
  uint32_t server = 0;  // that had it
  uint64_t version = 0;
  uint64_t updates = 0;
  uint64_t examples = 0;
  uint64_t dropped = 0;     // slices that did not count
  std::vector<Mark> marks;  // of tasks that are not complete
};

// Any thread; nothing changes once it is open.
class ServerFile {
 public:
  struct Block {
    uint32_t variable = 0;  // in the manifest
    uint64_t begin = 0;     // values [begin, end)
    uint64_t end = 0;
    CheckpointCell cell;
  };
  struct Bucket {
    uint32_t table = 0;  // in the manifest
    uint32_t bucket = 0;
    uint64_t rows = 0;       // that the bucket has
    uint64_t first_row = 0;  // in the tensors of the table
    uint64_t stored = 0;     // there: all, or those that have changed since the base
    // Of a delta: ids whose rows have gone since, in TABLE/removed.
    uint64_t first_removed = 0;
    uint64_t removed = 0;
    uint64_t first_waiting = 0;  // in TABLE/waiting
    uint64_t waiting = 0;
    CheckpointCell cell;
  };

  // `server`: whose file it must be, of how many. DataLoss: it is damaged, of another server, or
  // does not fit the manifest; names the file and the tensor. Reads what is not weights, slots or
  // rows, so that its checks are complete but for the values.
  static absl::StatusOr<std::unique_ptr<ServerFile>> Open(const std::string& path, uint32_t server,
                                                          const CheckpointManifest& manifest);

  const SafetensorsReader& tensors() const { return *tensors_; }
  // Of tables it has only what has changed since the base of the manifest.
  bool is_delta() const { return is_delta_; }
  const CheckpointCell& own_cell() const { return own_cell_; }
  // In the order of "/cells".
  const std::vector<Block>& blocks() const { return blocks_; }
  const std::vector<Bucket>& buckets() const { return buckets_; }
  // Data tasks [first, last] that all cells of the server have counted, ascending.
  const std::vector<std::pair<uint64_t, uint64_t>>& complete() const { return complete_; }

 private:
  friend class ServerFileCheck;
  ServerFile() = default;

  std::unique_ptr<SafetensorsReader> tensors_;
  bool is_delta_ = false;
  CheckpointCell own_cell_;
  std::vector<Block> blocks_;
  std::vector<Bucket> buckets_;
  std::vector<std::pair<uint64_t, uint64_t>> complete_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_SERVER_FILE_H_
