// manifest.json of a checkpoint (docs/checkpoints.md): what the checkpoint is, and the names, sizes
// and checksums of its files. It is written last.
#ifndef CONVOY_COMMON_CHECKPOINT_MANIFEST_H_
#define CONVOY_COMMON_CHECKPOINT_MANIFEST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace convoy {

inline constexpr char kManifestName[] = "manifest.json";
// What was measured of many classes takes most of it.
inline constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 30;
inline constexpr int kCheckpointVersion = 2;  // the newest that is read

struct CheckpointFile {
  std::string name;  // without folder
  uint64_t bytes = 0;
  uint64_t xxh3 = 0;  // of all bytes
};

struct CheckpointVariable {
  std::string name;
  std::vector<uint64_t> shape;
};

struct CheckpointTable {
  struct Range {
    std::string name;
    uint32_t size = 0;  // columns
    bool operator==(const Range&) const = default;
  };
  std::string name;
  std::vector<Range> ranges;  // left to right
  // The floats of TABLE/slots, left to right: "RANGE/SLOT" and how many a row has of it, which the
  // ranges do not say (row-wise rules have one). Empty: none.
  std::vector<Range> slots;

  uint32_t dim() const;
  uint32_t slot_floats() const;
};

// Where the weights came from before this run or part of a run.
struct CheckpointAncestor {
  std::string run;  // run directory, or file
  uint64_t step = 0;
  std::string how;  // "resume", "init"
};

// The checkpoint that a delta checkpoint is a change of; its folder stands beside.
struct CheckpointBase {
  uint64_t step = 0;
  uint64_t xxh3 = 0;  // CheckpointManifest::xxh3
};

// The best validation of a job so far whose weights were saved.
struct CheckpointBest {
  std::string metric;  // "validation/accuracy"
  uint64_t step = 0;   // of the checkpoint that has its weights
  double value = 0;
};

struct CheckpointManifest {
  uint64_t step = 0;
  // Set: files may have only the rows of tables that have changed since.
  std::optional<CheckpointBase> base;
  std::string mode;
  uint32_t slices = 1;
  uint64_t generation = 1;
  uint64_t examples = 0;
  uint64_t dropped = 0;
  std::string created;  // RFC 3339, UTC
  std::string build;
  std::string instruction_set;
  std::string job;     // resolved, text format
  std::string schema;  // JSON of an object; empty: none
  uint64_t data_fingerprint = 0;
  uint64_t data_examples = 0;  // training examples
  uint64_t epoch_examples = 0;
  std::vector<CheckpointVariable> variables;
  std::vector<CheckpointTable> tables;
  // Names of the optimizer's slots by variable; absent: none.
  std::map<std::string, std::vector<std::string>> slots;
  // Ids of complete data tasks, ranges [first, last]; empty in modes with steps.
  std::vector<std::pair<uint64_t, uint64_t>> completed_tasks;
  std::vector<CheckpointAncestor> lineage;  // the oldest first
  std::optional<CheckpointBest> best;
  // What was measured and is not complete: JSON of an object
  // (launcher/coordinator/training_record.h); empty: not known.
  std::string progress;
  std::vector<CheckpointFile> files;
  // What was read: its own checksum, "manifest_xxh3".
  uint64_t xxh3 = 0;
};

// Indented JSON that ends with its own checksum and a line break. Equal manifests give equal bytes.
std::string ToJson(const CheckpointManifest& manifest);
// The checksum that ToJson writes.
uint64_t ChecksumOf(const CheckpointManifest& manifest);
// DataLoss: not JSON, a byte that differs from what was written, or members that are missing, of
// another type or contradict each other; says which. Unimplemented: of a newer version; says which
// program is needed. `where`: for messages. Members that are not known are ignored: a version that
// they matter to has another number.
absl::StatusOr<CheckpointManifest> ParseManifest(std::string_view json, const std::string& where);
// That of the checkpoint in `folder`. NotFound: there is none; else as ParseManifest.
absl::StatusOr<CheckpointManifest> ReadManifest(const std::string& folder);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_MANIFEST_H_
