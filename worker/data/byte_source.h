// Bytes read once, from front to back: a file or memory, gzip undone on the way.
#ifndef CONVOY_WORKER_DATA_BYTE_SOURCE_H_
#define CONVOY_WORKER_DATA_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "worker/data/activity.h"

namespace convoy {

// One thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `out` as far as there are bytes; fewer only at the end, then 0.
  // InvalidArgument: damaged gzip; Unknown: the file can't be read.
  virtual absl::StatusOr<size_t> Read(std::span<char> out) = 0;
};

// `bytes` must live as long as the source.
std::unique_ptr<ByteSource> MemorySource(std::span<const char> bytes);

// Says "reading NAME, P %" to `activity` (may be empty) about every 4 MiB. NotFound: no such file;
// PermissionDenied; InvalidArgument: not a regular file.
absl::StatusOr<std::unique_ptr<ByteSource>> FileSource(const std::string& path,
                                                       const ActivityCallback& activity);

// The contents of `inner`, gunzipped if it starts with 1f 8b (several members are joined); `name`
// is for errors.
std::unique_ptr<ByteSource> Decompressed(std::unique_ptr<ByteSource> inner,
                                         const std::string& name);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_BYTE_SOURCE_H_
