// libsvm text, gzip or not: any input gives rows or an error, and rows keep their promises.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "worker/data/libsvm.h"

namespace {

absl::Status CheckRows(const convoy::LibsvmRows& rows) {
  int64_t begin = 0;
  for (const int64_t end : rows.row_ends) {
    for (int64_t k = begin + 1; k < end; ++k) {
      if (rows.columns[static_cast<size_t>(k - 1)] >= rows.columns[static_cast<size_t>(k)]) abort();
    }
    begin = end;
  }
  for (const float value : rows.values) {
    if (!std::isfinite(value)) abort();
  }
  return absl::OkStatus();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto source = convoy::Decompressed(
      convoy::MemorySource({reinterpret_cast<const char*>(data), size}), "fuzz.libsvm");
  convoy::LibsvmOptions options;
  options.zero_based = size % 2 == 1;
  options.max_bad_lines = size % 3;
  convoy::ReadLibsvm(*source, "fuzz.libsvm", options, CheckRows).IgnoreError();
  return 0;
}
