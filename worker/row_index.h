// Which rows of a table a batch reads: each id once, in the order in which they travel.
#ifndef CONVOY_WORKER_ROW_INDEX_H_
#define CONVOY_WORKER_ROW_INDEX_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace convoy {

// Built anew for every batch; memory is kept. One thread.
//
// An open-addressing table (linear probing, at most 3/4 full) finds the ids that were seen before,
// a counting sort puts the unique ones in the order of their buckets: O(ids + kTableBuckets).
class RowIndex {
 public:
  // Buckets go to servers in turn (Placement::server_of_bucket).
  explicit RowIndex(uint32_t servers = 1);

  // `ids`: one for each place, fewer than 2^31. What it gives depends on `ids` alone.
  void Build(std::span<const uint64_t> ids);

  // Each id once: those of server 0, then those of server 1, and so on; of one server in the order
  // of (bucket, id), which is that of the messages.
  std::span<const uint64_t> unique() const { return unique_; }
  // For each place the position of its id in unique().
  std::span<const uint32_t> places() const { return places_; }
  // Positions in unique() where the ids of one bucket after the other begin, and the end, for the
  // buckets of `server`.
  std::span<const uint32_t> bucket_offsets(uint32_t server) const {
    return std::span(offsets_).subspan(first_[server], first_[server + 1] - first_[server] + 1);
  }

 private:
  // The place of a bucket in the order of unique().
  uint32_t OrderOf(uint32_t bucket) const { return first_[bucket % servers_] + bucket / servers_; }
  void Collect(std::span<const uint64_t> ids);
  void Sort();
  // Places [begin, end) of unique_, which are those of one bucket.
  void SortBucket(uint32_t begin, uint32_t end);

  const uint32_t servers_;
  std::vector<uint32_t> first_;           // by server: place of its first bucket; and kTableBuckets
  std::vector<uint64_t> unique_, found_;  // found_: in the order of their first places
  std::vector<uint32_t> places_;
  std::vector<uint32_t> offsets_;    // by place in the order, and the end
  std::vector<uint32_t> orders_;     // of found_: the place of its bucket
  std::vector<uint32_t> slots_;      // the table: 0, or a position in found_ plus 1
  std::vector<uint64_t> by_bucket_;  // found_ in the order of the buckets, each in no order
  std::vector<uint32_t> from_;       // of by_bucket_ in found_
  std::vector<std::pair<uint64_t, uint32_t>> many_;  // ids of a large bucket, and from_
  std::vector<uint32_t> positions_;                  // of found_ in unique_
};

}  // namespace convoy

#endif  // CONVOY_WORKER_ROW_INDEX_H_
