#include "ps/table/row_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <new>

namespace convoy {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
// Address space, not memory: pages are provided when they are touched.
constexpr size_t kRegion = size_t{64} << 20;

size_t RoundedUp(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

}  // namespace

RowArena::~RowArena() {
  for (const Region& region : regions_) munmap(region.begin, region.size);
}

void* RowArena::Allocate(size_t size) {
  size = RoundedUp(size, kAlignment);
  MutexLock lock(mutex_);
  used_bytes_ += size;
  if (std::byte* const memory = Reuse(size)) return memory;
  if (left_ < size) AddRegion(size);
  std::byte* const memory = next_;
  next_ += size;
  left_ -= size;
  touched_bytes_ += size;
  return memory;
}

void RowArena::Free(void* memory, size_t size) {
  size = RoundedUp(size, kAlignment);
  std::byte* begin = static_cast<std::byte*>(memory);
  MutexLock lock(mutex_);
  used_bytes_ -= size;
  const auto after = pieces_.lower_bound(begin);
  const auto before = after == pieces_.begin() ? pieces_.end() : std::prev(after);
  if (after != pieces_.end() && begin + size == after->first) {
    size += after->second;
    RemovePiece(after);
  }
  if (before != pieces_.end() && before->first + before->second == begin) {
    begin = before->first;
    size += before->second;
    RemovePiece(before);
  }
  AddPiece(begin, size);
}

std::byte* RowArena::Reuse(size_t size) {
  const auto smallest = by_size_.lower_bound({size, nullptr});
  if (smallest == by_size_.end()) return nullptr;
  const auto [whole, begin] = *smallest;
  RemovePiece(pieces_.find(begin));
  if (whole > size) AddPiece(begin + size, whole - size);
  return begin;
}

void RowArena::AddPiece(std::byte* begin, size_t size) {
  pieces_.emplace(begin, size);
  by_size_.emplace(size, begin);
}

void RowArena::RemovePiece(std::map<std::byte*, size_t>::iterator piece) {
  by_size_.erase({piece->second, piece->first});
  pieces_.erase(piece);
}

size_t RowArena::used_bytes() const {
  MutexLock lock(mutex_);
  return used_bytes_;
}

size_t RowArena::touched_bytes() const {
  MutexLock lock(mutex_);
  return touched_bytes_;
}

// The system's mappings begin at any multiple of 4 KiB; allocation starts at a huge page.
void RowArena::AddRegion(size_t size) {
  const size_t whole = RoundedUp(std::max(size, kRegion), kHugePage) + kHugePage;
  void* const mapped = mmap(nullptr, whole, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  if (left_ > 0) AddPiece(next_, left_);
  const bool first = regions_.empty();
  regions_.push_back({static_cast<std::byte*>(mapped), whole});
  const uintptr_t address = reinterpret_cast<uintptr_t>(mapped);
  next_ = regions_.back().begin + (RoundedUp(address, kHugePage) - address);
  left_ = whole - static_cast<size_t>(next_ - regions_.back().begin);
  const size_t ordinary = first ? kHugePage : 0;
  madvise(next_ + ordinary, left_ - ordinary, MADV_HUGEPAGE);  // advice: nothing to do if refused
}

}  // namespace convoy
