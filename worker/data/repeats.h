// Finds an id that comes twice in one field of an example.
#ifndef CONVOY_WORKER_DATA_REPEATS_H_
#define CONVOY_WORKER_DATA_REPEATS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace convoy {

// One thread. Keeps 16 bytes for each entry of the longest example that was not in order.
class Repeats {
 public:
  // The place of an entry whose (field, id) came before; of equal size. Examples in ascending order
  // of (field, id) have none, and take one comparison an entry.
  std::optional<size_t> Find(std::span<const uint16_t> fields, std::span<const uint64_t> ids);

 private:
  // Open addressing. A slot of another round is free, so that nothing is cleared between examples.
  struct Slot {
    uint32_t round = 0;
    uint32_t place = 0;
  };

  void BeginRound(size_t entries);

  uint32_t round_ = 0;
  std::vector<Slot> slots_;  // a power of 2, at least twice the entries
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_REPEATS_H_
