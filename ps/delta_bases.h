// Files of a server that may become the base of a delta checkpoint.
#ifndef CONVOY_PS_DELTA_BASES_H_
#define CONVOY_PS_DELTA_BASES_H_

#include <cstdint>
#include <map>
#include <utility>

#include "ps/shard_file.h"

namespace convoy {

// By the number of the order that they followed (SnapshotOrder.number). One thread.
class DeltaBases {
 public:
  // Null: there is no such file, or it was written long ago.
  const BucketVersions* Find(uint64_t number) const {
    const auto found = versions_.find(number);
    return found == versions_.end() ? nullptr : &found->second;
  }
  // A file was written for order `number`, whose base was that of order `base` (0: none). What is
  // older than a base will not be one again.
  void Add(uint64_t number, uint64_t base, BucketVersions versions) {
    versions_.erase(versions_.begin(), versions_.lower_bound(base == 0 ? number : base));
    versions_.insert_or_assign(number, std::move(versions));
  }

 private:
  std::map<uint64_t, BucketVersions> versions_;
};

}  // namespace convoy

#endif  // CONVOY_PS_DELTA_BASES_H_
