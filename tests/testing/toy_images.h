// Small image data sets in IDX files, made from a seed: each class is a pattern with noise, so that
// models can learn it.
#ifndef CONVOY_TESTS_TESTING_TOY_IMAGES_H_
#define CONVOY_TESTS_TESTING_TOY_IMAGES_H_

#include <cstdint>
#include <string>

namespace convoy::testing {

struct ToyImages {
  uint32_t examples = 200;
  uint32_t side = 8;  // pixels
  uint32_t classes = 4;
  uint64_t seed = 1;
};

// Writes `prefix`-images-idx3-ubyte and `prefix`-labels-idx1-ubyte; returns the name of the former.
std::string WriteToyImages(const ToyImages& images, const std::string& prefix);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_TOY_IMAGES_H_
