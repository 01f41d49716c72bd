#include "common/build_info.h"

#include <xxhash.h>

#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace convoy {
namespace {

std::string HashOfExecutable() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  std::vector<char> buffer(1 << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         file.gcount() > 0) {
    XXH3_64bits_update(state, buffer.data(), static_cast<size_t>(file.gcount()));
  }
  const std::string id = absl::StrFormat("%016x", XXH3_64bits_digest(state));
  XXH3_freeState(state);
  return id;
}

}  // namespace

std::string Version() { return CONVOY_VERSION; }

std::string BuildId() {
  static const std::string* const id = new std::string(HashOfExecutable());
  return *id;
}

std::string InstructionSet() { return CONVOY_ARCH; }

absl::Status CheckProcessor() {
#if defined(__AVX2__) && defined(__FMA__) && defined(__BMI2__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi2")) {
    return absl::FailedPreconditionError(
        absl::StrCat("this program was built for ", InstructionSet(),
                     " processors (AVX2, FMA, BMI2), which this one is not; build it with "
                     "-DCONVOY_ARCH=portable or -DCONVOY_ARCH=native"));
  }
#endif
  return absl::OkStatus();
}

}  // namespace convoy
