// Reads any bytes as the manifest of a checkpoint, as they are and with a checksum that fits.
// Whatever is accepted must be written as a text that means the same.
#include <xxhash.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/checkpoint/manifest.h"

namespace {

void Check(bool condition) {
  if (!condition) std::abort();
}

void ReadAndWrite(const std::string& text) {
  const auto manifest = convoy::ParseManifest(text, "manifest.json");
  if (!manifest.ok()) return;
  const std::string written = convoy::ToJson(*manifest);
  const auto again = convoy::ParseManifest(written, "manifest.json");
  Check(again.ok());
  Check(convoy::ToJson(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  ReadAndWrite(text);
  // The text is taken for all but the end of a manifest.
  char seal[64];
  std::snprintf(seal, sizeof(seal), "  \"manifest_xxh3\": \"%016llx\"\n}\n",
                static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  ReadAndWrite(text + seal);
  return 0;
}
