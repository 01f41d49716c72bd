// Opens any bytes as a safetensors file and reads everything that it claims to hold. Whatever is
// accepted must be encoded to a header that means the same.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/files/safetensors_header.h"
#include "common/files/safetensors_reader.h"

namespace {

int MemoryFile() {
  static const int fd = ::memfd_create("safetensors", MFD_CLOEXEC);
  return fd;
}

void Check(bool condition) {
  if (!condition) std::abort();
}

void CheckRoundTrip(const convoy::SafetensorsReader& reader) {
  const std::string encoded =
      convoy::EncodeSafetensorsHeader({reader.tensors(), reader.metadata()});
  const uint64_t data_bytes = reader.tensors().empty() ? 0 : reader.tensors().back().end;
  const auto again = convoy::ParseSafetensorsHeader(
      std::string_view(encoded).substr(convoy::kSafetensorsPrefixBytes), data_bytes);
  Check(again.ok());
  Check(again->metadata == reader.metadata());
  Check(again->tensors.size() == reader.tensors().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = MemoryFile();
  Check(::ftruncate(fd, 0) == 0);
  Check(::pwrite(fd, data, size, 0) == static_cast<ssize_t>(size));
  const auto reader = convoy::SafetensorsReader::Open("/proc/self/fd/" + std::to_string(fd));
  if (!reader.ok()) return 0;
  for (const convoy::TensorInfo& tensor : (*reader)->tensors()) {
    Check((*reader)->Read(tensor.name).ok() == (tensor.dtype == "F32"));
  }
  CheckRoundTrip(**reader);
  return 0;
}
