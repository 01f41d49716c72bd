#include "ps/table/row_store.h"

#include <algorithm>

namespace convoy {

RowStore::RowStore(RowStore&& other) noexcept
    : slab_(std::move(other.slab_)),
      arena_(other.arena_),
      index_(std::exchange(other.index_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      size_(std::exchange(other.size_, 0)) {}

Row RowStore::Search(uint64_t id) {
  if (size_ == 0) return {};
  const uint32_t entry = index_[PlaceOf(id, HashId(id))];
  return entry == kEmpty ? Row() : slab_.At(RowOf(entry));
}

Row RowStore::FindOrInsert(uint64_t id, bool* inserted, uint32_t guess) {
  const Row known = Find(id, guess);
  *inserted = !known && size_ < kMaxRows;
  if (!*inserted) return known;
  if (uint64_t{8} * (size_ + 1) > uint64_t{7} * capacity_) {
    Resize(std::max(kFirstCapacity, capacity_ + capacity_ / 2));
  }
  const uint32_t row = slab_.Add(id);
  Enter(HashId(id), row);
  ++size_;
  return slab_.At(row);
}

bool RowStore::Erase(uint64_t id) {
  if (size_ == 0) return false;
  const uint32_t place = PlaceOf(id, HashId(id));
  if (index_[place] == kEmpty) return false;
  if (--size_ == 0) {
    slab_.Clear();
    FreeIndex();
    return true;
  }
  slab_.Remove(RowOf(index_[place]));
  CloseGap(place);
  return true;
}

uint32_t RowStore::PlaceOf(uint64_t id, uint64_t hash) const {
  uint32_t place = HomeOf(hash);
  while (index_[place] != kEmpty) {
    if (SameTag(index_[place], hash) && slab_.IdOf(RowOf(index_[place])) == id) break;
    place = After(place);
  }
  return place;
}

void RowStore::Enter(uint64_t hash, uint32_t row) {
  uint32_t place = HomeOf(hash);
  while (index_[place] != kEmpty) place = After(place);
  index_[place] = Entry(hash, row);
}

void RowStore::Reserve(size_t rows) {
  const uint64_t capacity = 8 * (std::min<uint64_t>(rows, kMaxRows) + 1) / 7 + 1;
  if (capacity <= capacity_) return;
  // Each time by half at least: rows may come one by one.
  Resize(static_cast<uint32_t>(std::max<uint64_t>(capacity, capacity_ + capacity_ / 2)));
}

void RowStore::Resize(uint32_t capacity) {
  FreeIndex();
  capacity_ = capacity;
  index_ = static_cast<uint32_t*>(arena_->Allocate(IndexBytes()));
  std::fill_n(index_, capacity_, kEmpty);
  for (uint32_t row = 0; row < slab_.end(); ++row) {
    if (slab_.IsUsed(row)) Enter(HashId(slab_.IdOf(row)), row);
  }
}

void RowStore::FreeIndex() {
  if (index_ != nullptr) arena_->Free(index_, IndexBytes());
  index_ = nullptr;
  capacity_ = 0;
}

// An entry may move back into the gap unless its home lies behind the gap.
void RowStore::CloseGap(uint32_t gap) {
  for (uint32_t place = After(gap); index_[place] != kEmpty; place = After(place)) {
    const uint32_t home = HomeOf(HashId(slab_.IdOf(RowOf(index_[place]))));
    if (Distance(home, place) < Distance(gap, place)) continue;
    index_[gap] = index_[place];
    gap = place;
  }
  index_[gap] = kEmpty;
}

}  // namespace convoy
