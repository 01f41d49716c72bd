#include "tests/testing/toy_images.h"

#include <fstream>

#include "common/math/random.h"

namespace convoy::testing {
namespace {

void PutBigEndian(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

}  // namespace

std::string WriteToyImages(const ToyImages& images, const std::string& prefix) {
  std::string pixels, labels;
  PutBigEndian(0x0803, &pixels);
  PutBigEndian(images.examples, &pixels);
  PutBigEndian(images.side, &pixels);
  PutBigEndian(images.side, &pixels);
  PutBigEndian(0x0801, &labels);
  PutBigEndian(images.examples, &labels);
  const RandomStream label_stream(images.seed, "toy label");
  for (uint32_t i = 0; i < images.examples; ++i) {
    // Every class occurs, whatever the number of examples.
    const uint64_t label = i < images.classes ? i : label_stream.Below(i, images.classes);
    labels.push_back(static_cast<char>(label));
    const RandomStream pattern(99, "toy pattern", label), noise(images.seed, "toy noise", i);
    for (uint32_t p = 0; p < images.side * images.side; ++p) {
      pixels.push_back(static_cast<char>(pattern.Below(p, 160) + noise.Below(p, 96)));
    }
  }
  const std::string name = prefix + "-images-idx3-ubyte";
  std::ofstream(name, std::ios::binary) << pixels;
  std::ofstream(prefix + "-labels-idx1-ubyte", std::ios::binary) << labels;
  return name;
}

}  // namespace convoy::testing
