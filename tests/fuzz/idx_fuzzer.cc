// IDX bytes, gzip or not: any input gives values or an error.
#include <cstddef>
#include <cstdint>

#include "worker/data/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convoy;
  const auto source =
      Decompressed(MemorySource({reinterpret_cast<const char*>(data), size}), "fuzz.idx");
  const absl::StatusOr<IdxHeader> header = ReadIdxHeader(*source, "fuzz.idx", 4);
  if (!header.ok()) return 0;
  ReadIdxElements(*source, "fuzz.idx", *header, IdxElements::kFloat, [](std::span<const char>) {
    return absl::OkStatus();
  }).IgnoreError();
  return 0;
}
