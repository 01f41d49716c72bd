// Going through the rows of a message, one bucket after the other.
#ifndef CONVOY_PS_TABLE_BUCKET_WALK_H_
#define CONVOY_PS_TABLE_BUCKET_WALK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ps/table/bucket.h"
#include "ps/table/row_ids.h"
#include "ps/table/rows_ahead.h"
#include "ps/table/table_shard.h"

namespace convoy {

// A message of random ids has about ten in each bucket, too few for their cache misses to hide
// behind each other. So RowsAhead runs through the rows of the following buckets, too, which are
// locked before it comes to them. Locks are taken in ascending order of the buckets, and released
// as they are done with.
//
//   BucketWalk walk(...);
//   for (size_t run = 0; walk.Next(); ++run) walk.Push(...);
//
// One thread.
class BucketWalk {
 public:
  // Both outlive the walk; `ids`: by ascending bucket. `pulled`: the version of a pull; nothing: a
  // push.
  BucketWalk(TableShard* table, const RowIds& ids, std::optional<uint64_t> pulled);
  ~BucketWalk();
  BucketWalk(const BucketWalk&) = delete;
  BucketWalk& operator=(const BucketWalk&) = delete;

  // Goes to the first run, or on to the next one. False: there is none.
  bool Next();

  // As TableBucket has them, of the bucket of this run.
  PushResult Push(const PushKey& key, uint64_t base_version, const RowSum& rows,
                  std::vector<ParkedRows>* released);
  TableBucket::PullResult Pull(const RowsOut& out, const std::function<ParkedRows()>& parked);

 private:
  TableBucket& bucket(size_t run) const { return table_->bucket(ids_.runs[run].bucket); }
  // Null: of a run that was not added.
  RowsAhead* ahead() { return needed_[done_] ? &ahead_ : nullptr; }
  // Locks what RowsAhead may come to while the run is worked on.
  void LockAhead();

  TableShard* const table_;
  const RowIds& ids_;
  const std::optional<uint64_t> pulled_;
  size_t done_ = 0;    // runs that are unlocked again
  size_t locked_ = 0;  // runs that were ever locked
  bool begun_ = false;
  RowsAhead ahead_;
  std::vector<bool> needed_;  // runs whose rows are read now, and were added to it
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_BUCKET_WALK_H_
