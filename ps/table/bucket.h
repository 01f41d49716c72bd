// The unit of consistency of an embedding table: the rows of one bucket at the current version,
// what the rows touched last were before, the contributions in progress, the marks of what has been
// counted, and the pulls that wait.
#ifndef CONVOY_PS_TABLE_BUCKET_H_
#define CONVOY_PS_TABLE_BUCKET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/math/table.h"
#include "common/mutex.h"
#include "common/optimizers/row_updater.h"
#include "ps/cell_progress.h"
#include "ps/cell_snapshot.h"
#include "ps/pull_ticket.h"
#include "ps/table/removed_rows.h"
#include "ps/table/row_arena.h"
#include "ps/table/row_clock.h"
#include "ps/table/row_keeper.h"
#include "ps/table/row_life.h"
#include "ps/table/row_places.h"
#include "ps/table/row_store.h"
#include "ps/table/row_sum.h"
#include "ps/table/rows_ahead.h"

namespace convoy {

// A place in a parked pull: rows `ids` go to `out`, a part of the ticket's reply.
struct ParkedRows {
  std::shared_ptr<PullTicket> ticket;  // keeps `ids` and `out`
  std::span<const uint64_t> ids;
  RowsOut out;
  uint64_t version = 0;  // wanted
};

// Thread-safe. Of several buckets at once BucketWalk makes pushes and pulls faster.
class TableBucket {
 public:
  struct Options {
    ProgressOptions progress;
    // Outlive the bucket.
    const TableSpec* table = nullptr;
    const RowUpdater* updater = nullptr;
    RowArena* arena = nullptr;
    const RowClock* clock = nullptr;  // null: time does not pass
    uint64_t seed = 1;
    // Relative learning rate after that many examples.
    std::function<double(uint64_t examples)> schedule;
    RowLife life;         // limits: of one bucket
    bool deltas = false;  // snapshots of what has changed may be wanted
  };

  enum class Pulled { kReady, kParked, kGone };
  struct PullResult {
    Pulled outcome = Pulled::kReady;
    uint64_t version = 0;  // of the rows; kGone: the bucket's now
  };

  explicit TableBucket(Options options);

  // Counts a contribution once; see CellProgress. Pulls that the new version completes are filled
  // in, taken off and added to `released`. `rows` without ids: no gradient.
  PushResult Push(const PushKey& key, uint64_t base_version, const RowSum& rows,
                  std::vector<ParkedRows>* released);
  // Writes the rows at `version` to `out`. Rows that are not there have their initial values;
  // nothing is made. If the version is not there yet, `parked()` is called to get a place and the
  // pull is parked.
  PullResult Pull(uint64_t version, std::span<const uint64_t> ids, const RowsOut& out,
                  const std::function<ParkedRows()>& parked);
  // The newest values.
  uint64_t Newest(std::span<const uint64_t> ids, const RowsOut& out) const;
  void ForgetTask(uint64_t task);
  std::vector<uint32_t> MissingSlices() const;

  // As those of Cell.
  bool ArmSnapshot(uint64_t version);
  void DisarmSnapshot();
  // `since`: only the rows that have changed after that version, and the ids of those that have
  // gone, if the outline says that it can be; what went before is then forgotten.
  std::optional<BucketSnapshot> TakeSnapshot(std::optional<uint64_t> since = std::nullopt);
  // What TakeSnapshot(since) will have, without its rows.
  struct SnapshotOutline {
    CellPosition position;
    uint64_t rows = 0;     // that the bucket has
    uint64_t stored = 0;   // those that are in the snapshot
    uint64_t removed = 0;  // ids
    uint64_t waiting = 0;
    bool possible = true;  // false: too much has changed to tell what
  };
  std::optional<SnapshotOutline> OutlineSnapshot(
      std::optional<uint64_t> since = std::nullopt) const;
  // Before the first request. `snapshot` is of a table with as many columns and slots.
  // ResourceExhausted: more rows than a bucket can have.
  absl::Status Restore(const BucketSnapshot& snapshot);

  CellCounts GetCounts() const;
  RowCounts GetRowCounts() const;
  // Bytes of ids and values that were pushed and pulled, those of copies included.
  uint64_t TrafficBytes() const;
  // Ids in ascending order, and their values [ids, dim]: the rows that differ from their initial
  // values or may do so.
  void Export(std::vector<uint64_t>* ids, std::vector<float>* values) const;

 private:
  friend class BucketWalk;

  // `ahead`, here and below: has come to these rows; null: nothing was asked for.
  PushResult PushLocked(const PushKey& key, uint64_t base_version, const RowSum& rows,
                        RowsAhead* ahead, std::vector<ParkedRows>* released)
      CONVOY_REQUIRES(mutex_);
  PullResult PullLocked(uint64_t version, std::span<const uint64_t> ids, RowsAhead* ahead,
                        const RowsOut& out, const std::function<ParkedRows()>& parked)
      CONVOY_REQUIRES(mutex_);
  void AdvanceLocked(const RowSum& sum, RowsAhead* ahead, uint64_t staleness)
      CONVOY_REQUIRES(mutex_);
  void ApplyLocked(const RowSum& sum, RowsAhead& ahead, const RowTime& now, uint64_t staleness)
      CONVOY_REQUIRES(mutex_);
  // Before an update of these rows; see RowLifeState.
  void MakeRoomLocked(const RowTime& now, std::span<const uint64_t> ids,
                      std::span<const uint32_t> sightings) CONVOY_REQUIRES(mutex_);
  // A row for an id that has none; false: the id is not admitted, or there is no room.
  Row NewRowLocked(uint64_t id, uint32_t sightings, const RowTime& now) CONVOY_REQUIRES(mutex_);
  void RememberLocked(const Row& row) CONVOY_REQUIRES(mutex_);
  // Whether a pull of version `pulled`, or a push, will look at rows at once.
  bool NeedsRowsLocked(std::optional<uint64_t> pulled) const CONVOY_REQUIRES(mutex_);
  // `ahead`, or if that is null one of the bucket's own.
  RowsAhead& AheadLocked(std::span<const uint64_t> ids, RowsAhead* ahead) const
      CONVOY_REQUIRES(mutex_);
  void ReadLocked(std::span<const uint64_t> ids, RowsAhead* ahead, const RowsOut& out) const
      CONVOY_REQUIRES(mutex_);
  void ReadPreviousLocked(std::span<const uint64_t> ids, RowsAhead* ahead, const RowsOut& out) const
      CONVOY_REQUIRES(mutex_);
  void ReleaseLocked(std::vector<ParkedRows>* released) CONVOY_REQUIRES(mutex_);
  // Before the bucket changes.
  void KeepLocked() CONVOY_REQUIRES(mutex_);
  BucketSnapshot CopyLocked(std::optional<uint64_t> since) const CONVOY_REQUIRES(mutex_);

  const Options options_;
  const uint32_t dim_;
  const size_t remembered_;  // floats of a row in previous_values_: all that a pull can ask for

  mutable Mutex mutex_;
  CellProgress<RowSum, RowAdder> progress_ CONVOY_GUARDED_BY(mutex_);
  mutable RowStore rows_ CONVOY_GUARDED_BY(mutex_);        // its handles are for writing
  mutable RowsAhead own_ahead_ CONVOY_GUARDED_BY(mutex_);  // of AheadLocked
  RowLifeState life_ CONVOY_GUARDED_BY(mutex_);
  RemovedRows removed_ CONVOY_GUARDED_BY(mutex_);  // if options_.deltas
  // kRounds: ids of the rows that the last step changed or removed, ascending, with the place of
  // the values they had before.
  std::vector<std::pair<uint64_t, size_t>> previous_ CONVOY_GUARDED_BY(mutex_);
  std::vector<float> previous_values_ CONVOY_GUARDED_BY(mutex_);
  std::vector<ParkedRows> parked_ CONVOY_GUARDED_BY(mutex_);
  mutable uint64_t traffic_rows_ CONVOY_GUARDED_BY(mutex_) = 0;
  SnapshotState snapshot_ CONVOY_GUARDED_BY(mutex_);
  // What the snapshot has of the bucket that is no longer so; null: the bucket has not changed.
  struct Kept {
    CellPosition position;
    RowLifeState::Candidates waiting;
    RowKeeper rows;
  };
  std::unique_ptr<Kept> kept_ CONVOY_GUARDED_BY(mutex_);
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_BUCKET_H_
