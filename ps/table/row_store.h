// The rows of one bucket of an embedding table: a map from ids to rows that grows as ids are seen.
//
// An index of 4-byte entries leads to the rows, which stand in a RowSlab. The index is an open
// addressing table with linear probing (Knuth, "The art of computer programming" 3, section 6.4,
// algorithm L) at most 7/8 full. An entry is 8 bits of the id's hash and 24 bits of row number + 1,
// so that nearly all rows that are looked at are the wanted ones. Erasing moves later entries back
// (6.4, algorithm R) and leaves no tombstones. The index grows by a half; its capacity is any
// number, since a place in it is hash * capacity / 2^32.
//
// Memory beyond the floats of a row: header 20 bytes, index 4.6 to 6.9, unfilled chunk 0 to 1/32
// row.
//
// A caller with many ids runs ahead of itself in stages, each of which needs what the one before it
// has asked for: PrefetchIndex; Guess, which reads the index, and PrefetchWhere; PrefetchGuessed;
// then Find with that guess, which reads the index no more. RowsAhead does so. A guess that turns
// out wrong, or that rows erased in between made wrong, costs time only.
#ifndef CONVOY_PS_TABLE_ROW_STORE_H_
#define CONVOY_PS_TABLE_ROW_STORE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/math/table.h"
#include "ps/table/row.h"
#include "ps/table/row_slab.h"

namespace convoy {

// Not thread-safe: used under the bucket's lock.
class RowStore {
 public:
  // Row numbers + 1 have 24 bits. A bucket of ordinary ids never gets there (1,024 of them would
  // hold 17 billion rows), but ids may be made to fall into one bucket.
  static constexpr uint32_t kMaxRows = (1u << 24) - 2;

  // Allocates nothing before the first row. The arena, one for all buckets of a table, outlives the
  // store.
  RowStore(RowLayout layout, RowArena* arena) : slab_(layout, arena), arena_(arena) {}
  ~RowStore() { FreeIndex(); }
  RowStore(RowStore&& other) noexcept;

  RowLayout layout() const { return slab_.layout(); }
  size_t size() const { return size_; }
  // Bytes asked for, of the arena and of the heap: rows that are free for reuse included; without
  // sizeof(RowStore).
  size_t bytes() const { return slab_.bytes() + IndexBytes(); }

  // The number of a row that an id probably has. Any other number is a wrong guess.
  static constexpr uint32_t kNoGuess = ~uint32_t{0};

  // False if there is no such row.
  Row Find(uint64_t id, uint32_t guess = kNoGuess) {
    if (const Row row = slab_.Held(guess, id)) return row;
    return Search(id);
  }
  // The row of the id, new if there was none: *inserted says so. A new row has counters of 0 and
  // undefined floats, which the caller sets. False only if the store has kMaxRows rows already.
  Row FindOrInsert(uint64_t id, bool* inserted, uint32_t guess = kNoGuess);
  // So many rows will follow: the index gets its size at once.
  void Reserve(size_t rows);
  // False if there was no such row. The memory is kept for new rows, and freed with the last row.
  bool Erase(uint64_t id);

  // fn(Row) for all rows, in an unspecified order. fn may change rows, not insert or erase them.
  template <typename Fn>
  void ForEach(Fn fn) {
    for (uint32_t row = 0; row < slab_.end(); ++row) {
      if (slab_.IsUsed(row)) fn(slab_.At(row));
    }
  }
  // The same in ascending order of ids, for what must not depend on the order of arrival. fn may
  // also erase the row that it is given. Takes 16 bytes a row for the time of the call.
  template <typename Fn>
  void ForEachById(Fn fn) {
    ForEachById([](const Row&) { return true; }, fn);
  }
  // Of those rows only for which wanted(Row) is true.
  template <typename Wanted, typename Fn>
  void ForEachById(Wanted wanted, Fn fn) {
    std::vector<std::pair<uint64_t, uint32_t>> rows;
    for (uint32_t row = 0; row < slab_.end(); ++row) {
      if (slab_.IsUsed(row) && wanted(slab_.At(row))) rows.emplace_back(slab_.IdOf(row), row);
    }
    std::sort(rows.begin(), rows.end());
    for (const auto& [id, row] : rows) fn(slab_.At(row));
  }

  // `hash`: HashId(id). See above.
  void PrefetchIndex(uint64_t hash) const {
    if (capacity_ > 0) PrefetchLine(&index_[HomeOf(hash)]);
  }
  uint32_t Guess(uint64_t hash) const { return RowOf(Candidate(hash)); }
  // What leads to the row of a guess.
  void PrefetchWhere(uint32_t guess) const {
    if (guess < slab_.end()) slab_.PrefetchWhere(guess);
  }
  void PrefetchGuessed(uint32_t guess) const {
    if (guess < slab_.end()) slab_.PrefetchRow(guess);
  }

 private:
  static constexpr uint32_t kEmpty = 0;
  static constexpr uint32_t kFirstCapacity = 8;
  static constexpr uint32_t kRowBits = 24;

  // Bits of the hash: 63..54 are the bucket's, 53..22 say where, 7..0 are the tag.
  uint32_t HomeOf(uint64_t hash) const {
    return static_cast<uint32_t>(uint64_t{static_cast<uint32_t>(hash >> 22)} * capacity_ >> 32);
  }
  static uint32_t Entry(uint64_t hash, uint32_t row) {
    return static_cast<uint32_t>(hash) << kRowBits | (row + 1);
  }
  // kNoGuess for kEmpty.
  static uint32_t RowOf(uint32_t entry) { return (entry & ((1u << kRowBits) - 1)) - 1; }
  static bool SameTag(uint32_t entry, uint64_t hash) {
    return ((entry >> kRowBits) ^ (hash & 0xff)) == 0;
  }
  // The first entry that is probably that of the hash; kEmpty if there is none.
  uint32_t Candidate(uint64_t hash) const {
    if (capacity_ == 0) return kEmpty;
    uint32_t place = HomeOf(hash);
    while (index_[place] != kEmpty && !SameTag(index_[place], hash)) place = After(place);
    return index_[place];
  }
  uint32_t After(uint32_t place) const { return place + 1 == capacity_ ? 0 : place + 1; }
  // Steps forward from one place to another.
  uint32_t Distance(uint32_t from, uint32_t to) const {
    return to >= from ? to - from : to + capacity_ - from;
  }
  size_t IndexBytes() const { return capacity_ * sizeof(uint32_t); }
  // Find without a guess.
  Row Search(uint64_t id);
  // Where the entry of the id is, or the empty place where it would be. The index is not empty.
  uint32_t PlaceOf(uint64_t id, uint64_t hash) const;
  // Puts in a row whose id is not there yet.
  void Enter(uint64_t hash, uint32_t row);
  void Resize(uint32_t capacity);
  void FreeIndex();
  void CloseGap(uint32_t gap);

  RowSlab slab_;
  RowArena* arena_;
  uint32_t* index_ = nullptr;  // [capacity_], of the arena
  uint32_t capacity_ = 0;
  uint32_t size_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_STORE_H_
