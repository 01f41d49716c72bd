// Rows as they were when a snapshot was armed, of those that have changed since.
#ifndef CONVOY_PS_TABLE_ROW_KEEPER_H_
#define CONVOY_PS_TABLE_ROW_KEEPER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "ps/table/row.h"
#include "ps/table/row_store.h"

namespace convoy {

// What a snapshot has of a row: its floats, weights then slots, and its counters.
struct KeptRow {
  uint64_t id = 0;
  const float* floats = nullptr;
  uint32_t last_step = 0;
  uint32_t updates = 0;
};

// Not thread-safe: used under the bucket's lock.
class RowKeeper {
 public:
  explicit RowKeeper(size_t floats) : floats_(floats) {}

  // The row is about to change or to go. Only the first time counts.
  void Keep(const Row& row);
  // The id, which had no row, is about to get one.
  void KeepAbsence(uint64_t id);

  // Rows that there were, given those that there are.
  uint64_t Count(RowStore& now) const;
  // Of these, those that were changed after step `since`.
  uint64_t CountSince(uint64_t since, RowStore& now) const;
  // Calls fn for each of them, ids ascending; without `since` for all.
  void ForEach(std::optional<uint64_t> since, RowStore& now,
               absl::FunctionRef<void(const KeptRow&)> fn) const;

 private:
  struct Place {
    size_t first = 0;  // float of values_
    uint32_t last_step = 0;
    uint32_t updates = 0;
  };
  // Whether there was this row then, changed after `since`.
  bool IsWanted(const Row& row, std::optional<uint64_t> since) const;
  KeptRow At(uint64_t id, const Place& place) const;

  const size_t floats_;
  absl::flat_hash_map<uint64_t, Place> rows_;
  absl::flat_hash_set<uint64_t> absent_;  // disjoint from rows_
  std::vector<float> values_;
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_KEEPER_H_
