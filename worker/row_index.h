// Which rows of a table a batch reads: each id once, in the order in which they travel.
#ifndef CONVOY_WORKER_ROW_INDEX_H_
#define CONVOY_WORKER_ROW_INDEX_H_

#include <cstdint>
#include <span>
#include <vector>

namespace convoy {

// Built anew for every batch; memory is kept. One thread.
//
// An open-addressing table (linear probing, at most 3/4 full) finds the ids that were seen before,
// a counting sort puts the unique ones in the order of their buckets: O(ids + kTableBuckets).
class RowIndex {
 public:
  // `ids`: one for each place, fewer than 2^31. What it gives depends on `ids` alone.
  void Build(std::span<const uint64_t> ids);

  // Each id once, buckets (BucketOf) in ascending order, the ids of a bucket in the order of their
  // first places.
  std::span<const uint64_t> unique() const { return unique_; }
  // For each place the position of its id in unique().
  std::span<const uint32_t> places() const { return places_; }
  // kTableBuckets + 1 positions: the ids of bucket b are [bucket_offsets()[b], bucket_offsets()[b +
  // 1]) of unique(). Empty before the first Build.
  std::span<const uint32_t> bucket_offsets() const { return bucket_offsets_; }

 private:
  void Collect(std::span<const uint64_t> ids);
  void SortByBucket();

  std::vector<uint64_t> unique_, found_;  // found_: in the order of their first places
  std::vector<uint32_t> places_;
  std::vector<uint32_t> bucket_offsets_;
  std::vector<uint16_t> buckets_;    // of found_
  std::vector<uint32_t> slots_;      // the table: 0, or a position in found_ plus 1
  std::vector<uint32_t> positions_;  // of found_ in unique_
};

}  // namespace convoy

#endif  // CONVOY_WORKER_ROW_INDEX_H_
