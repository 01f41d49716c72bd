// The checksum of a whole file.
#ifndef CONVOY_COMMON_FILES_FILE_HASH_H_
#define CONVOY_COMMON_FILES_FILE_HASH_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace convoy {

struct FileHash {
  uint64_t bytes = 0;
  uint64_t xxh3 = 0;  // 64-bit XXH3, seed 0, of all bytes
};

// Reads the file from beginning to end. Errors: the system's, with the path.
absl::StatusOr<FileHash> HashFile(const std::string& path);

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_FILE_HASH_H_
