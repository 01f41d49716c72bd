#include "ps/table/row_ids.h"

#include "common/math/table.h"

namespace convoy {
namespace {

std::vector<uint64_t> Copied(const Payload& bytes) {
  std::vector<uint64_t> ids((bytes.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  bytes.CopyTo(ids.data());
  ids.resize(bytes.size() / sizeof(uint64_t));
  return ids;
}

std::vector<uint64_t> HashesOf(const std::vector<uint64_t>& ids) {
  std::vector<uint64_t> hashes(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) hashes[i] = HashId(ids[i]);
  return hashes;
}

std::vector<BucketRun> RunsOf(const std::vector<uint64_t>& hashes) {
  std::vector<BucketRun> runs;
  for (size_t begin = 0, end; begin < hashes.size(); begin = end) {
    const uint32_t bucket = BucketOfHash(hashes[begin]);
    end = begin + 1;
    while (end < hashes.size() && BucketOfHash(hashes[end]) == bucket) ++end;
    runs.push_back({bucket, begin, end});
  }
  return runs;
}

}  // namespace

RowIds::RowIds(const Payload& bytes)
    : ids(Copied(bytes)), hashes(HashesOf(ids)), runs(RunsOf(hashes)) {}

RowIds::RowIds(std::span<const uint64_t> all)
    : ids(all.begin(), all.end()), hashes(HashesOf(ids)), runs(RunsOf(hashes)) {}

}  // namespace convoy
