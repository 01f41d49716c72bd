// Going through the rows of a message, one bucket after the other.
#ifndef CONVOY_PS_TABLE_BUCKET_WALK_H_
#define CONVOY_PS_TABLE_BUCKET_WALK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ps/table/bucket.h"
#include "ps/table/row_places.h"
#include "ps/table/table_shard.h"

namespace convoy {

// A message of random ids has about ten in each bucket, too few for their cache misses to hide
// behind each other. So the walk runs ahead of the bucket that is worked on, some ids for each
// stage: it locks a bucket and asks for its index; then it reads the index; then it asks for the
// rows. It asks for nothing else: what leads to the rows and the values of the message are near,
// and a processor that waits for more lines than it can keep track of stops (measured). Locks are
// taken in ascending order of the buckets, and released as they are done with.
//
//   BucketWalk walk(...);
//   for (size_t run = 0; walk.Next(); ++run) walk.Push(...);
//
// One thread.
class BucketWalk {
 public:
  // All outlive the walk. `runs`: of `ids`, by ascending bucket. `pulled`: the version of a pull;
  // nothing: a push.
  BucketWalk(TableShard* table, std::span<const uint64_t> ids, std::span<const BucketRun> runs,
             std::optional<uint64_t> pulled);
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
  TableBucket& bucket(size_t run) const { return table_->bucket(runs_[run].bucket); }
  std::span<const uint64_t> ids_of(size_t run) const {
    return ids_.subspan(runs_[run].begin, runs_[run].end - runs_[run].begin);
  }
  // Empty: of a run whose rows are not needed now.
  std::span<uint32_t> guesses_of(size_t run);
  // Whether the stage that has come to `run` should go there.
  bool Reaches(size_t run, size_t ids_ahead) const;
  void RunAhead();

  TableShard* const table_;
  const std::span<const uint64_t> ids_;
  const std::span<const BucketRun> runs_;
  const std::optional<uint64_t> pulled_;
  size_t done_ = 0;  // runs that are unlocked again
  bool begun_ = false;
  size_t locked_ = 0, guessed_ = 0, fetched_ = 0;  // runs, by stage
  std::vector<uint32_t> guesses_;                  // of the ids
  std::vector<bool> needed_;                       // runs whose rows are read now
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_BUCKET_WALK_H_
