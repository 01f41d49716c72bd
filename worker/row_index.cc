#include "worker/row_index.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/math/table.h"

namespace convoy {
namespace {

constexpr size_t kHashesAhead =
    16;  // hashes computed before their slots are read, so that the reads overlap

// Buckets of a batch have some ten ids. To count for each how many are smaller takes more
// comparisons than sorting, but no branch depends on them.
constexpr size_t kFewIds = 32;

uint32_t CountSmaller(std::span<const uint64_t> ids, uint64_t id) {
  uint64_t smaller = 0;
  for (const uint64_t other : ids) smaller += other < id ? 1 : 0;
  return static_cast<uint32_t>(smaller);
}

}  // namespace

RowIndex::RowIndex(uint32_t servers) : servers_(servers), offsets_(kTableBuckets + 1, 0) {
  for (uint32_t server = 0; server <= servers; ++server) {
    const uint32_t before =
        kTableBuckets / servers * server + std::min(server, kTableBuckets % servers);
    first_.push_back(before);
  }
}

void RowIndex::Build(std::span<const uint64_t> ids) {
  Collect(ids);
  Sort();
}

void RowIndex::Collect(std::span<const uint64_t> ids) {
  const size_t capacity = std::bit_ceil(ids.size() + ids.size() / 3 + kHashesAhead);
  slots_.assign(capacity, 0);
  places_.resize(ids.size());
  found_.resize(ids.size());
  orders_.resize(ids.size());
  uint32_t found = 0;
  std::array<uint64_t, kHashesAhead> hashes;
  for (size_t begin = 0; begin < ids.size(); begin += kHashesAhead) {
    const size_t count = std::min(kHashesAhead, ids.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      hashes[i] = HashId(ids[begin + i]);
      // By the lower bits, so that the ids of a bucket, which go by the upper ones, do not crowd.
      __builtin_prefetch(&slots_[hashes[i] & (capacity - 1)]);
    }
    for (size_t i = 0; i < count; ++i) {
      const uint64_t id = ids[begin + i];
      size_t slot = hashes[i] & (capacity - 1);
      while (slots_[slot] != 0 && found_[slots_[slot] - 1] != id)
        slot = (slot + 1) & (capacity - 1);
      if (slots_[slot] == 0) {
        found_[found] = id;
        orders_[found] = OrderOf(BucketOfHash(hashes[i]));
        slots_[slot] = ++found;
      }
      places_[begin + i] = slots_[slot] - 1;
    }
  }
  found_.resize(found);
  orders_.resize(found);
}

void RowIndex::Sort() {
  std::fill(offsets_.begin(), offsets_.end(), 0);
  for (const uint32_t order : orders_) ++offsets_[order + 1];
  for (size_t b = 0; b < kTableBuckets; ++b) offsets_[b + 1] += offsets_[b];
  std::array<uint32_t, kTableBuckets> next;
  std::copy_n(offsets_.begin(), kTableBuckets, next.begin());
  by_bucket_.resize(found_.size());
  from_.resize(found_.size());
  for (uint32_t i = 0; i < found_.size(); ++i) {
    const uint32_t p = next[orders_[i]]++;
    by_bucket_[p] = found_[i];
    from_[p] = i;
  }
  unique_.resize(found_.size());
  positions_.resize(found_.size());
  for (size_t b = 0; b < kTableBuckets; ++b) SortBucket(offsets_[b], offsets_[b + 1]);
  for (uint32_t& place : places_) place = positions_[place];
}

void RowIndex::SortBucket(uint32_t begin, uint32_t end) {
  const std::span<const uint64_t> ids = std::span(by_bucket_).subspan(begin, end - begin);
  if (ids.size() <= kFewIds) {
    for (size_t i = 0; i < ids.size(); ++i) {
      const uint32_t p = begin + CountSmaller(ids, ids[i]);
      unique_[p] = ids[i];
      positions_[from_[begin + i]] = p;
    }
    return;
  }
  many_.clear();
  for (size_t i = 0; i < ids.size(); ++i) many_.emplace_back(ids[i], from_[begin + i]);
  std::sort(many_.begin(), many_.end());
  for (size_t i = 0; i < ids.size(); ++i) {
    const uint32_t p = begin + static_cast<uint32_t>(i);
    unique_[p] = many_[i].first;
    positions_[many_[i].second] = p;
  }
}

}  // namespace convoy
