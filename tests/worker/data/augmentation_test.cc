#include "worker/data/augmentation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "data_files.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::Idx;
using ::convoy::testing::kInvalid;
using ::convoy::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Augment Config(bool flip, uint32_t crop, double noise) {
  v1::Augment config;
  config.set_flip(flip);
  config.set_crop(crop);
  config.set_noise(noise);
  return config;
}

class AugmentationTest : public ::testing::Test {
 protected:
  // A data set of one image with the given values.
  std::unique_ptr<Dataset> OneImage(std::vector<uint32_t> sizes, const std::string& values) {
    sizes.insert(sizes.begin(), 1);
    v1::Data data;
    data.set_cache_dir(folder_ / "cache");
    const std::string name = absl::StrCat("t", ++files_);
    data.set_train(folder_.Write(name + "-images-idx3-ubyte", Idx(0x08, sizes, values)));
    folder_.Write(name + "-labels-idx1-ubyte", Idx(0x08, {1}, std::string(1, '\0')));
    data.set_scale(1);
    absl::StatusOr<DataSets> sets = OpenData(data, 1, nullptr);
    EXPECT_TRUE(sets.ok()) << sets.status();
    return std::move(sets->train);
  }

  // The image as the visits [0, count) of `epoch` see it.
  static std::vector<std::vector<float>> Visits(const Dataset& data, const v1::Augment& config,
                                                int count, uint64_t epoch = 0, uint64_t seed = 1) {
    absl::StatusOr<Augmentation> augmentation = Augmentation::Create(config, seed, data);
    EXPECT_TRUE(augmentation.ok()) << augmentation.status();
    Batch batch;
    data.Read(std::vector<uint32_t>(static_cast<size_t>(count), 0), &batch);
    batch.epoch = epoch;
    std::iota(batch.examples.begin(), batch.examples.end(), 0);
    augmentation->Apply(&batch);
    std::vector<std::vector<float>> images;
    const auto width = static_cast<size_t>(data.features());
    for (size_t i = 0; i < batch.examples.size(); ++i) {
      const auto image = batch.dense.span().subspan(i * width, width);
      images.emplace_back(image.begin(), image.end());
    }
    return images;
  }

  TemporaryFolder folder_;
  int files_ = 0;
};

TEST_F(AugmentationTest, HalfOfTheVisitsSeeTheImageMirrored) {
  const auto data = OneImage({2, 3}, "\1\2\3\4\5\6");
  int mirrored = 0;
  for (const auto& image : Visits(*data, Config(true, 0, 0), 400)) {
    if (image == std::vector<float>{3, 2, 1, 6, 5, 4}) {
      ++mirrored;
    } else {
      EXPECT_THAT(image, ElementsAre(1, 2, 3, 4, 5, 6));
    }
  }
  EXPECT_NEAR(mirrored, 200, 50);  // five standard deviations of sqrt(400) / 2
}

TEST_F(AugmentationTest, AMirroredPixelKeepsTheOrderOfItsChannels) {
  const auto data = OneImage({2, 2, 3}, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc");
  const auto images = Visits(*data, Config(true, 0, 0), 50);
  EXPECT_THAT(images, ::testing::Contains(ElementsAre(4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9)));
}

TEST_F(AugmentationTest, ShiftsReachEveryPlaceEquallyOftenAndFillWithZeros) {
  // The only pixel in the middle of 3 x 3 goes to each of the 9 places.
  const auto middle = OneImage({3, 3}, std::string("\0\0\0\0\1\0\0\0\0", 9));
  std::map<ptrdiff_t, int> places;
  for (const auto& image : Visits(*middle, Config(false, 1, 0), 900)) {
    ASSERT_EQ(std::accumulate(image.begin(), image.end(), 0.0f), 1);
    ++places[std::find(image.begin(), image.end(), 1.0f) - image.begin()];
  }
  EXPECT_EQ(places.size(), 9u);
  for (const auto& [place, count] : places) EXPECT_NEAR(count, 100, 50) << place;  // 5 x 9.4

  // Of nine ones, a shift by (dy, dx) keeps (3 - |dy|) * (3 - |dx|).
  const auto ones = OneImage({3, 3}, std::string(9, '\1'));
  std::map<float, int> sums;
  for (const auto& image : Visits(*ones, Config(false, 1, 0), 900)) {
    ++sums[std::accumulate(image.begin(), image.end(), 0.0f)];
  }
  EXPECT_EQ(sums.size(), 3u);
  EXPECT_NEAR(sums[9], 100, 50);
  EXPECT_NEAR(sums[6], 400, 75);
  EXPECT_NEAR(sums[4], 400, 75);
}

TEST_F(AugmentationTest, AShiftMovesRowsAndColumnsTogether) {
  const auto data = OneImage({3, 3}, "\1\2\3\4\5\6\7\x8\x9");
  const auto images = Visits(*data, Config(false, 2, 0), 300);
  // One down and two to the left; one up and one to the right.
  EXPECT_THAT(images, ::testing::Contains(ElementsAre(0, 0, 0, 3, 0, 0, 6, 0, 0)));
  EXPECT_THAT(images, ::testing::Contains(ElementsAre(0, 4, 5, 0, 7, 8, 0, 0, 0)));
}

TEST_F(AugmentationTest, NoiseHasTheGivenDeviation) {
  const auto data = OneImage({10, 10}, std::string(100, '\2'));
  double sum = 0, squares = 0;
  for (const auto& image : Visits(*data, Config(false, 0, 0.25), 100)) {
    for (const float value : image) {
      sum += value - 2;
      squares += (value - 2) * (value - 2);
    }
  }
  // 10,000 values: the mean has a standard deviation of 0.0025, the variance one of
  // sqrt(2 / 10000) * 0.0625 = 0.0009; five of each.
  EXPECT_NEAR(sum / 10000, 0, 0.0125);
  EXPECT_NEAR(squares / 10000, 0.0625, 0.0045);
}

TEST_F(AugmentationTest, IsAFunctionOfSeedEpochAndVisitAlone) {
  const auto data = OneImage({3, 3}, "\1\2\3\4\5\6\7\x8\x9");
  const v1::Augment config = Config(true, 1, 0.1);
  const auto images = Visits(*data, config, 20);
  auto fewer = Visits(*data, config, 7);
  EXPECT_EQ(fewer, std::vector(images.begin(), images.begin() + 7));
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_NE(images[i], images[i + 1]);
    EXPECT_NE(Visits(*data, config, 7, /*epoch=*/1)[i], images[i]);
    EXPECT_NE(Visits(*data, config, 7, 0, /*seed=*/2)[i], images[i]);
  }
}

TEST_F(AugmentationTest, WhatIsNoImageIsRefused) {
  EXPECT_THAT(Augmentation::Create(Config(true, 0, 0), 1, *OneImage({9}, "123456789")).status(),
              Fails(kInvalid, HasSubstr("data.augment needs images, got dense examples of ")));
  v1::Data data;
  data.set_cache_dir(folder_ / "cache");
  data.set_train(folder_.Write("t.libsvm", "1 1:1\n"));
  EXPECT_THAT(
      Augmentation::Create(Config(true, 0, 0), 1, *OpenData(data, 1, nullptr)->train).status(),
      Fails(kInvalid, HasSubstr("data.augment needs images, got sparse examples of ")));
}

TEST_F(AugmentationTest, AShiftOutOfTheImageIsRefused) {
  const auto data = OneImage({3, 2}, "\1\2\3\4\5\6");
  EXPECT_TRUE(Augmentation::Create(Config(false, 1, 0), 1, *data).ok());
  EXPECT_THAT(Augmentation::Create(Config(false, 2, 0), 1, *data).status(),
              Fails(kInvalid, HasSubstr("data.augment.crop: got 2, want less than the 3 x 2")));
}

}  // namespace
}  // namespace convoy
