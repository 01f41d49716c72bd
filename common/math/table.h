// The named embedding tables of a model: maps from an id to a row of floats that grow as ids are
// seen, and the values of a row that nobody has changed yet.
#ifndef CONVOY_COMMON_MATH_TABLE_H_
#define CONVOY_COMMON_MATH_TABLE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/math/variable.h"

namespace convoy {

// Parts of a table's id space, the unit of placement and consistency.
inline constexpr uint32_t kTableBuckets = 1024;

// Columns of a row that belong together: one initializer, one optimizer. Optimizer settings know
// them as "TABLE/RANGE".
struct ColumnRange {
  std::string name;  // unique in the table, e.g. "factors"
  uint32_t size = 1;
  Initializer initializer;
};

struct TableSpec {
  std::string name;                 // unique among the tables and variables of the model
  std::vector<ColumnRange> ranges;  // left to right

  // Floats of a row.
  uint32_t dim() const;
};

// Mixes all bits of an id (the finalizer of SplitMix64, Steele et al. 2014): neighbouring ids
// spread evenly.
inline uint64_t HashId(uint64_t id) {
  id += 0x9e3779b97f4a7c15;
  id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9;
  id = (id ^ (id >> 27)) * 0x94d049bb133111eb;
  return id ^ (id >> 31);
}
// The bucket of an id: the upper bits of its hash.
inline uint32_t BucketOfHash(uint64_t hash) { return static_cast<uint32_t>(hash >> 54); }
inline uint32_t BucketOf(uint64_t id) { return BucketOfHash(HashId(id)); }

// The values of a row that has taken no update. They depend on (seed, table.name, id, column)
// alone, so that placement and the order in which ids appear do not matter. `out`: table.dim()
// floats.
void InitializeRow(const TableSpec& table, uint64_t seed, uint64_t id, std::span<float> out);

v1::Table ToProto(const TableSpec& table);
// InvalidArgument: an empty name, no columns or more than 4,096, two ranges of the same name, a bad
// initializer. `table` is then unchanged.
absl::Status FromProto(const v1::Table& proto, TableSpec* table);

}  // namespace convoy

#endif  // CONVOY_COMMON_MATH_TABLE_H_
