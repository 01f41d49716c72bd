// Memory for the rows of one table, all buckets together.
//
// Rows are read in random order, and with pages of 4 KiB nearly every access to a table of
// gigabytes first has to find its page: measured, a processor did 20 million random accesses a
// second that way and 60 million with pages of 2 MiB. So the arena takes memory from the system in
// large regions and asks for huge pages there (madvise; without them everything works, slower). The
// first 2 MiB are ordinary pages, so that a small table stays small.
//
// What is freed is joined with free neighbours and used again, the smallest piece that is large
// enough first. The system gets all of it back when the arena goes.
#ifndef CONVOY_PS_TABLE_ROW_ARENA_H_
#define CONVOY_PS_TABLE_ROW_ARENA_H_

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/mutex.h"

namespace convoy {

// Thread-safe.
class RowArena {
 public:
  RowArena() = default;
  // All memory must have been freed, or not be used any more.
  ~RowArena();
  RowArena(const RowArena&) = delete;
  RowArena& operator=(const RowArena&) = delete;

  // `size` > 0 bytes, aligned to 64, contents undefined. Throws std::bad_alloc as operator new
  // does.
  void* Allocate(size_t size) CONVOY_EXCLUDES(mutex_);
  void Free(void* memory, size_t size) CONVOY_EXCLUDES(mutex_);

  // Bytes that are allocated and not freed, sizes rounded up to 64.
  size_t used_bytes() const CONVOY_EXCLUDES(mutex_);
  // Bytes that were ever taken from regions: the memory that the system may have to provide, but
  // for the last huge page.
  size_t touched_bytes() const CONVOY_EXCLUDES(mutex_);

 private:
  struct Region {
    std::byte* begin;
    size_t size;
  };

  // From the free pieces; null if none is large enough.
  std::byte* Reuse(size_t size) CONVOY_REQUIRES(mutex_);
  void AddPiece(std::byte* begin, size_t size) CONVOY_REQUIRES(mutex_);
  void RemovePiece(std::map<std::byte*, size_t>::iterator piece) CONVOY_REQUIRES(mutex_);
  void AddRegion(size_t size) CONVOY_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::vector<Region> regions_ CONVOY_GUARDED_BY(mutex_);
  // Of the newest region.
  std::byte* next_ CONVOY_GUARDED_BY(mutex_) = nullptr;
  size_t left_ CONVOY_GUARDED_BY(mutex_) = 0;
  // Free pieces, by address and by size. No two of them touch.
  std::map<std::byte*, size_t> pieces_ CONVOY_GUARDED_BY(mutex_);
  std::set<std::pair<size_t, std::byte*>> by_size_ CONVOY_GUARDED_BY(mutex_);
  size_t used_bytes_ CONVOY_GUARDED_BY(mutex_) = 0;
  size_t touched_bytes_ CONVOY_GUARDED_BY(mutex_) = 0;
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_ARENA_H_
