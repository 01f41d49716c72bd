// One row of an embedding table as a server holds it: counters, weights and optimizer slots.
#ifndef CONVOY_PS_TABLE_ROW_H_
#define CONVOY_PS_TABLE_ROW_H_

#include <cstddef>
#include <cstdint>

namespace convoy {

// The floats of a row: `dim` weights, then `slot_floats` floats of optimizer slots.
struct RowLayout {
  uint32_t dim = 1;  // >= 1
  uint32_t slot_floats = 0;

  size_t floats() const { return size_t{dim} + slot_floats; }
};

// What is known of a row besides its floats, in 20 bytes without padding.
class RowHeader {
 public:
  explicit RowHeader(uint64_t id) : RowHeader() {
    used = 1;
    set_id(id);
  }

  uint64_t id() const { return uint64_t{id_high_} << 32 | id_low_; }

  // Updates that the row has taken: the step of Adam's bias correction. Stays at 2^32 - 1.
  uint32_t updates = 0;
  // When the row was last touched. `sync`: the step, other modes: updates of the bucket; the caller
  // sets it, and stays at 2^32 - 1 when there are more.
  uint32_t last_step = 0;
  // The same in time: RowClock::seconds().
  uint32_t last_second : 31;

 private:
  friend class RowSlab;

  RowHeader() : last_second(0), used(0) {}
  void set_id(uint64_t id) {
    id_low_ = static_cast<uint32_t>(id);
    id_high_ = static_cast<uint32_t>(id >> 32);
  }

  uint32_t used : 1;  // 0: a free row of the slab, whose id is the number of the next one
  // Two halves: a uint64_t would align the header to 8 bytes and pad it to 24.
  uint32_t id_low_ = 0;
  uint32_t id_high_ = 0;
};
static_assert(sizeof(RowHeader) == 20 && alignof(RowHeader) == 4);

// A handle: where a row stands. Rows do not move; the handle holds until the row is erased.
struct Row {
  RowHeader* header = nullptr;
  float* weights = nullptr;  // RowLayout::dim floats
  float* slots = nullptr;    // RowLayout::slot_floats floats, right behind the weights

  explicit operator bool() const { return header != nullptr; }
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_H_
