// The ids of rows that a message names, taken out of it once for all that is done with them.
#ifndef CONVOY_PS_TABLE_ROW_IDS_H_
#define CONVOY_PS_TABLE_ROW_IDS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/net/payload.h"

namespace convoy {

// Ids of a message that lie in one bucket: [begin, end) of all.
struct BucketRun {
  uint32_t bucket = 0;
  size_t begin = 0, end = 0;
};

struct RowIds {
  // `bytes`: 8 for each id; what is left over does not count.
  explicit RowIds(const Payload& bytes);
  explicit RowIds(std::span<const uint64_t> all);

  size_t size() const { return ids.size(); }
  std::span<const uint64_t> of(const BucketRun& run) const {
    return std::span(ids).subspan(run.begin, run.end - run.begin);
  }

  std::vector<uint64_t> ids;
  std::vector<uint64_t> hashes;  // HashId of each
  std::vector<BucketRun> runs;   // neighbours of one bucket, in the order of the message
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_IDS_H_
