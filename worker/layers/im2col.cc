#include "worker/layers/im2col.h"

#include <algorithm>

namespace convoy {
namespace {

// Calls visit(patch offset, image offset, values) for every run of values that a row of a
// neighbourhood shares with the image; image offset is -1 for a row outside.
template <typename Visit>
void ForEachRun(const ExampleShape& shape, Visit visit) {
  const int64_t c = shape.channels;
  int64_t patch = 0;
  for (int64_t y = 0; y < shape.height; ++y) {
    for (int64_t x = 0; x < shape.width; ++x) {
      const int64_t left = x == 0 ? 0 : x - 1;
      const int64_t right = x + 1 == shape.width ? x : x + 1;
      for (int64_t row = y - 1; row <= y + 1; ++row, patch += 3 * c) {
        if (row < 0 || row >= shape.height) continue;
        visit(patch + (left - x + 1) * c, (row * shape.width + left) * c, (right - left + 1) * c);
      }
    }
  }
}

}  // namespace

void ImageToPatches(const float* image, const ExampleShape& shape, float* patches) {
  std::fill_n(patches, shape.height * shape.width * shape.channels * 9, 0.0f);
  ForEachRun(shape, [&](int64_t patch, int64_t pixel, int64_t n) {
    for (int64_t i = 0; i < n; ++i) patches[patch + i] = image[pixel + i];
  });
}

void AddPatchesToImage(const float* patches, const ExampleShape& shape, float* image) {
  ForEachRun(shape, [&](int64_t patch, int64_t pixel, int64_t n) {
    for (int64_t i = 0; i < n; ++i) image[pixel + i] += patches[patch + i];
  });
}

}  // namespace convoy
