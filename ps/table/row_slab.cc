#include "ps/table/row_slab.h"

#include <new>

namespace convoy {

uint32_t RowSlab::Add(uint64_t id) {
  uint32_t row = first_free_;
  if (row == kNone) {
    Extend();
    row = end_++;
  } else {
    first_free_ = static_cast<uint32_t>(IdOf(row));
  }
  new (&Header(PlaceOf(row))) RowHeader(id);
  return row;
}

void RowSlab::Remove(uint32_t row) {
  RowHeader& header = Header(PlaceOf(row));
  header.used = 0;
  header.set_id(first_free_);
  first_free_ = row;
}

void RowSlab::Clear() {
  for (uint32_t row = 0, chunk = 0; chunk < chunks_.size(); ++chunk) {
    const uint32_t shift = PlaceOf(row).shift;
    arena_->Free(chunks_[chunk], ChunkBytes(shift));
    row += 1u << shift;
  }
  std::vector<std::byte*>().swap(chunks_);
  chunk_bytes_ = 0;
  end_ = 0;
  first_free_ = kNone;
}

void RowSlab::Extend() {
  const Place place = PlaceOf(end_);
  if (place.chunk < chunks_.size()) return;
  const size_t bytes = ChunkBytes(place.shift);
  chunks_.push_back(static_cast<std::byte*>(arena_->Allocate(bytes)));
  chunk_bytes_ += bytes;
}

}  // namespace convoy
