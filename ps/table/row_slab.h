// Memory for rows, by number. Rows never move and freed ones are used again.
//
// Rows 0, 1, 2, ... stand in chunks: 32 chunks of 4 rows, then for every doubling of the number of
// rows 32 chunks twice as large as before. So an unfilled chunk is at most 1/32 of the rows (half
// of that on average), there are 32 chunks for each doubling, and the chunk of a row follows from
// the position of the highest bit of its number. In a chunk the floats of all rows come first and
// then their headers: floats are 64-byte aligned whenever the size of a row is a multiple of 64
// bytes, at no cost, and headers lie close together for whoever visits all of them.
#ifndef CONVOY_PS_TABLE_ROW_SLAB_H_
#define CONVOY_PS_TABLE_ROW_SLAB_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ps/table/row.h"
#include "ps/table/row_arena.h"

namespace convoy {

// Asks for the cache line of an address. GCC takes a function that does nothing but
// __builtin_prefetch for one without effect and leaves out calls of it (seen with GCC 12); not with
// the empty statement.
inline void PrefetchLine(const void* address) {
  __builtin_prefetch(address, 1);
  asm volatile("");
}

// Not thread-safe.
class RowSlab {
 public:
  // Allocates nothing. The arena outlives the slab.
  RowSlab(RowLayout layout, RowArena* arena) : layout_(layout), arena_(arena) {}
  ~RowSlab() { Clear(); }
  RowSlab(RowSlab&& other) noexcept = default;

  RowLayout layout() const { return layout_; }
  // Numbers that were ever given out since the last Clear, used or free: [0, end()).
  uint32_t end() const { return end_; }
  // Bytes asked for, of the arena and of the heap.
  size_t bytes() const { return chunk_bytes_ + chunks_.capacity() * sizeof(std::byte*); }

  // The number of a row with this id and other counters 0; the floats are undefined.
  uint32_t Add(uint64_t id);
  // Frees a row that is in use. Its memory is kept for the next Add.
  void Remove(uint32_t row);
  // Frees all memory.
  void Clear();

  Row At(uint32_t row) const { return At(PlaceOf(row)); }
  uint64_t IdOf(uint32_t row) const { return Header(PlaceOf(row)).id(); }
  bool IsUsed(uint32_t row) const { return Header(PlaceOf(row)).used != 0; }

  // Row number `row`, which may be any number, if it is in use and has this id.
  Row Held(uint32_t row, uint64_t id) const {
    if (row >= end_) return {};
    const Row held = At(PlaceOf(row));
    return held.header->used != 0 && held.header->id() == id ? held : Row();
  }

  // Asks for what PrefetchRow reads. Any number below end(), as there.
  void PrefetchWhere(uint32_t row) const { PrefetchLine(&chunks_[PlaceOf(row).chunk]); }
  // Asks for the row ahead of its use.
  void PrefetchRow(uint32_t row) const {
    const Place place = PlaceOf(row);
    const char* const header = reinterpret_cast<const char*>(&Header(place));
    PrefetchLine(header);
    PrefetchLine(header + sizeof(RowHeader) - 1);
    const char* const floats = reinterpret_cast<const char*>(Floats(place));
    const size_t bytes = layout_.floats() * sizeof(float);
    for (size_t at = 0; at < bytes && at < kMostPrefetched; at += kLine) PrefetchLine(floats + at);
    // A row that does not begin with a line ends in one more.
    PrefetchLine(floats + bytes - 1);
  }

 private:
  static constexpr size_t kLine = 64;
  // Of long rows the processor's own prefetching gets the rest.
  static constexpr size_t kMostPrefetched = 8 * kLine;
  static constexpr uint32_t kSmallestShift = 2;  // chunks of 4 rows
  static constexpr uint32_t kChunksShift = 5;    // 32 chunks of each size
  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Place {
    size_t chunk;
    uint32_t offset;  // rows from the start of the chunk
    uint32_t shift;   // the chunk has 1 << shift rows
  };

  static Place PlaceOf(uint32_t row) {
    constexpr uint32_t kFirst = kSmallestShift + kChunksShift;
    const uint32_t highest = static_cast<uint32_t>(std::bit_width(row | 1u << kFirst)) - 1;
    const uint32_t shift = highest - kChunksShift;
    const size_t chunk = (size_t{highest - kFirst} << kChunksShift) + (row >> shift);
    return {chunk, row & ((1u << shift) - 1), shift};
  }
  Row At(const Place& place) const {
    float* const weights = Floats(place);
    return {&Header(place), weights, weights + layout_.dim};
  }
  float* Floats(const Place& place) const {
    std::byte* const chunk = chunks_[place.chunk];
    return reinterpret_cast<float*>(chunk) + place.offset * layout_.floats();
  }
  RowHeader& Header(const Place& place) const {
    std::byte* const chunk = chunks_[place.chunk];
    std::byte* const headers = chunk + (layout_.floats() * sizeof(float) << place.shift);
    return reinterpret_cast<RowHeader*>(headers)[place.offset];
  }
  size_t ChunkBytes(uint32_t shift) const {
    return (layout_.floats() * sizeof(float) + sizeof(RowHeader)) << shift;
  }
  // Makes room for row number end().
  void Extend();

  RowLayout layout_;
  RowArena* arena_;
  uint32_t end_ = 0;
  uint32_t first_free_ = kNone;
  std::vector<std::byte*> chunks_;
  size_t chunk_bytes_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_SLAB_H_
