// Writes examples of ids into a cache.
#ifndef CONVOY_WORKER_DATA_ID_CACHE_H_
#define CONVOY_WORKER_DATA_ID_CACHE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/cache_writer.h"
#include "worker/data/id_reader.h"

namespace convoy {

// One thread.
class IdCacheWriter {
 public:
  // `writer` outlives this.
  IdCacheWriter(bool labelled, CacheWriter* writer) : labelled_(labelled), writer_(writer) {}

  absl::Status Add(const IdRows& rows);
  // What a header says of all that was added: `summary` describes the same rows. InvalidArgument:
  // more than 2^32 - 1 examples (in `name`).
  absl::StatusOr<CacheHeader> Finish(const IdSummary& summary, const std::string& name);

 private:
  // A section that is not written as long as all its elements are `usual`.
  template <typename T>
  class LazySection {
   public:
    LazySection(CacheSection section, T usual) : section_(section), usual_(usual) {}
    absl::Status Add(std::span<const T> elements, CacheWriter* writer);
    // From here on all elements are written, those before as well.
    absl::Status Begin(CacheWriter* writer);
    bool begun() const { return begun_; }

   private:
    const CacheSection section_;
    const T usual_;
    bool begun_ = false;
    uint64_t skipped_ = 0;  // usual ones that were not written
  };

  const bool labelled_;
  CacheWriter* const writer_;
  LazySection<float> values_{kValues, 1.0F};
  LazySection<uint16_t> fields_{kFields, 0};
  std::vector<int64_t> offsets_ = {0};  // not written yet; at first where the first row begins
  int64_t entries_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_ID_CACHE_H_
