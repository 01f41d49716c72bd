#include "ps/table/row_slab.h"

#include <utility>

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
  std::vector<Chunk>().swap(chunks_);
  chunk_bytes_ = 0;
  end_ = 0;
  first_free_ = kNone;
}

void RowSlab::Extend() {
  const Place place = PlaceOf(end_);
  if (place.chunk < chunks_.size()) return;
  const size_t bytes = (layout_.floats() * sizeof(float) + sizeof(RowHeader)) << place.shift;
  Chunk chunk(static_cast<std::byte*>(::operator new(bytes, std::align_val_t(kLine))));
  chunks_.push_back(std::move(chunk));
  chunk_bytes_ += bytes;
}

}  // namespace convoy
