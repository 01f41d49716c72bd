#include "worker/row_index.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/math/table.h"

namespace convoy {
namespace {

constexpr size_t kHashesAhead =
    16;  // hashes computed before their slots are read, so that the reads overlap

using Found = std::pair<uint64_t, uint32_t>;

// Buckets of a batch have some ten ids: insertion beats what is made for long sequences.
void SortShort(std::span<Found> ids) {
  constexpr size_t kShort = 32;
  if (ids.size() > kShort) return std::sort(ids.begin(), ids.end());
  for (size_t i = 1; i < ids.size(); ++i) {
    const Found moved = ids[i];
    size_t to = i;
    for (; to > 0 && moved.first < ids[to - 1].first; --to) ids[to] = ids[to - 1];
    ids[to] = moved;
  }
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
  sorted_.resize(found_.size());
  for (uint32_t i = 0; i < found_.size(); ++i) sorted_[next[orders_[i]]++] = {found_[i], i};
  for (size_t b = 0; b < kTableBuckets; ++b) {
    SortShort(std::span(sorted_).subspan(offsets_[b], offsets_[b + 1] - offsets_[b]));
  }
  unique_.resize(found_.size());
  positions_.resize(found_.size());
  for (uint32_t p = 0; p < sorted_.size(); ++p) {
    unique_[p] = sorted_[p].first;
    positions_[sorted_[p].second] = p;
  }
  for (uint32_t& place : places_) place = positions_[place];
}

}  // namespace convoy
