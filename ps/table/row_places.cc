#include "ps/table/row_places.h"

#include "common/math/table.h"

namespace convoy {

std::vector<BucketRun> BucketRuns(std::span<const uint64_t> ids) {
  std::vector<BucketRun> runs;
  for (size_t i = 0; i < ids.size(); ++i) {
    const uint32_t bucket = BucketOf(ids[i]);
    if (runs.empty() || runs.back().bucket != bucket) runs.push_back({bucket, i, i});
    runs.back().end = i + 1;
  }
  return runs;
}

RowPlaces::RowPlaces(uint32_t table_number, uint32_t floats, const Payload& all)
    : table(table_number), columns(floats), ids(all.size() / sizeof(uint64_t)) {
  all.CopyTo(ids.data());
  runs = BucketRuns(ids);
  values = std::shared_ptr<float[]>(new float[ids.size() * columns]);
}

}  // namespace convoy
