#include "worker/row_index.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/math/table.h"

namespace convoy {
namespace {

constexpr size_t kAhead =
    16;  // hashes computed before their slots are read, so that the reads overlap

// The bucket of an id as BucketOf has it; slots go by the lower bits, so that the ids of a bucket
// do not crowd.
uint16_t BucketOfHash(uint64_t hash) { return static_cast<uint16_t>(hash >> 54); }

}  // namespace

void RowIndex::Build(std::span<const uint64_t> ids) {
  Collect(ids);
  SortByBucket();
}

void RowIndex::Collect(std::span<const uint64_t> ids) {
  const size_t capacity = std::bit_ceil(ids.size() + ids.size() / 3 + kAhead);
  slots_.assign(capacity, 0);
  places_.resize(ids.size());
  found_.resize(ids.size());
  buckets_.resize(ids.size());
  uint32_t found = 0;
  std::array<uint64_t, kAhead> hashes;
  for (size_t begin = 0; begin < ids.size(); begin += kAhead) {
    const size_t count = std::min(kAhead, ids.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      hashes[i] = HashId(ids[begin + i]);
      __builtin_prefetch(&slots_[hashes[i] & (capacity - 1)]);
    }
    for (size_t i = 0; i < count; ++i) {
      const uint64_t id = ids[begin + i];
      size_t slot = hashes[i] & (capacity - 1);
      while (slots_[slot] != 0 && found_[slots_[slot] - 1] != id)
        slot = (slot + 1) & (capacity - 1);
      if (slots_[slot] == 0) {
        found_[found] = id;
        buckets_[found] = BucketOfHash(hashes[i]);
        slots_[slot] = ++found;
      }
      places_[begin + i] = slots_[slot] - 1;
    }
  }
  found_.resize(found);
  buckets_.resize(found);
}

void RowIndex::SortByBucket() {
  bucket_offsets_.assign(kTableBuckets + 1, 0);
  for (const uint16_t bucket : buckets_) ++bucket_offsets_[bucket + 1u];
  for (size_t b = 0; b < kTableBuckets; ++b) bucket_offsets_[b + 1] += bucket_offsets_[b];
  std::array<uint32_t, kTableBuckets> next;
  std::copy_n(bucket_offsets_.begin(), kTableBuckets, next.begin());
  unique_.resize(found_.size());
  positions_.resize(found_.size());
  for (size_t i = 0; i < found_.size(); ++i) {
    const uint32_t position = next[buckets_[i]]++;
    positions_[i] = position;
    unique_[position] = found_[i];
  }
  for (uint32_t& place : places_) place = positions_[place];
}

}  // namespace convoy
