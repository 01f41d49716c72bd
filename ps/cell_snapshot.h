// When a cell copies itself for a checkpoint, and what the copy is. The same for blocks and for
// buckets of tables.
//
// A snapshot is armed for a version. The cell goes on meanwhile: the change that would leave the
// version keeps what it overwrites, once. The copy is taken later, by whoever writes it.
#ifndef CONVOY_PS_CELL_SNAPSHOT_H_
#define CONVOY_PS_CELL_SNAPSHOT_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/checkpoint/bucket_rows.h"
#include "ps/buffer_pool.h"
#include "ps/cell_progress.h"

namespace convoy {

// Wherever the cell is when it is asked: modes in which the cells have no common version.
inline constexpr uint64_t kSnapshotNow = std::numeric_limits<uint64_t>::max();

// A block at one version.
struct BlockSnapshot {
  CellPosition position;
  VersionBuffer values;              // null for the server's own cell
  std::vector<AlignedBuffer> slots;  // each as long as `values`
};

// A bucket of a table at one version.
struct BucketSnapshot {
  CellPosition position;
  BucketRows rows;
  std::vector<WaitingId> waiting;  // ids ascending
  // Of a snapshot of what has changed: ids whose rows have gone, ascending; some have come again.
  std::vector<uint64_t> removed = {};
};

// Not thread-safe: used under the cell's lock.
class SnapshotState {
 public:
  // Wants the state at `version`, or at `current` for kSnapshotNow. A snapshot that was armed
  // before is given up. False: the cell is beyond it.
  bool Arm(uint64_t version, uint64_t current) {
    version_.reset();
    if (version != kSnapshotNow && version < current) return false;
    version_ = version == kSnapshotNow ? current : version;
    return true;
  }
  void Disarm() { version_.reset(); }
  // The cell is at the version that is wanted: before it changes, what changes is to be kept.
  bool Due(uint64_t current) const { return version_ && *version_ == current; }
  // The version that is wanted has been reached.
  bool Reached(uint64_t current) const { return version_ && *version_ <= current; }

 private:
  std::optional<uint64_t> version_;
};

}  // namespace convoy

#endif  // CONVOY_PS_CELL_SNAPSHOT_H_
