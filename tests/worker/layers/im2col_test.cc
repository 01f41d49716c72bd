#include "worker/layers/im2col.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/math/random.h"

namespace convoy {
namespace {

using ::testing::ElementsAreArray;

std::vector<float> Random(size_t n, const char* name) {
  std::vector<float> values(n);
  RandomStream(1, name).FillNormal(0, values);
  return values;
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

TEST(Im2colTest, PatchIsTheNeighbourhoodWithZerosOutside) {
  const float image[] = {1, 2, 3,  //
                         4, 5, 6};
  std::vector<float> patches(6 * 9, -1);
  ImageToPatches(image, {2, 3, 1}, patches.data());
  const std::vector<float> first(patches.begin(), patches.begin() + 9);
  EXPECT_THAT(first, ElementsAreArray({0, 0, 0, 0, 1, 2, 0, 4, 5}));
  const std::vector<float> last(patches.end() - 9, patches.end());
  EXPECT_THAT(last, ElementsAreArray({2, 3, 0, 5, 6, 0, 0, 0, 0}));
}

TEST(Im2colTest, ChannelsAreInnermost) {
  const float image[] = {1, 10};
  std::vector<float> patches(18, -1);
  ImageToPatches(image, {1, 1, 2}, patches.data());
  EXPECT_THAT(patches, ElementsAreArray({0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Im2colTest, AddingPatchesIsTheTransposedMap) {
  for (const ExampleShape shape : {ExampleShape{4, 5, 3}, {1, 1, 1}, {1, 6, 2}, {6, 1, 2}}) {
    const size_t pixels = shape.height * shape.width * shape.channels;
    const std::vector<float> image = Random(pixels, "image");
    const std::vector<float> patches = Random(9 * pixels, "patches");
    std::vector<float> image_patches(9 * pixels), patch_sums(pixels);
    ImageToPatches(image.data(), shape, image_patches.data());
    AddPatchesToImage(patches.data(), shape, patch_sums.data());
    // <A x, p> = <x, A^T p>; at most 540 products of order 1 with errors of 2^-24 each.
    EXPECT_NEAR(Dot(image_patches, patches), Dot(image, patch_sums), 1e-4);
  }
}

}  // namespace
}  // namespace convoy
