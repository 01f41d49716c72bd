#include "common/files/file_hash.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {
constexpr size_t kHashedPiece = size_t{1} << 20;
}  // namespace

absl::StatusOr<FileHash> HashFile(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(const OwnedFd fd, OpenForReading(path));
  FileHash hash;
  CONVOY_ASSIGN_OR_RETURN(hash.bytes, FileSize(fd, path));
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<char> piece(std::min<uint64_t>(kHashedPiece, hash.bytes));
  for (uint64_t at = 0; at < hash.bytes; at += piece.size()) {
    const size_t size = std::min<uint64_t>(piece.size(), hash.bytes - at);
    CONVOY_RETURN_IF_ERROR(ReadExactlyAt(fd, at, piece.data(), size, path));
    XXH3_64bits_update(state.get(), piece.data(), size);
  }
  hash.xxh3 = XXH3_64bits_digest(state.get());
  return hash;
}

}  // namespace convoy
