// Whole data sets that others have published, with numbers to compare.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "data_files.h"
#include "worker/data/dataset.h"

namespace convoy {
namespace {

class RealFilesTest : public ::testing::Test {
 protected:
  absl::StatusOr<DataSets> Open() {
    data_.set_cache_dir(folder_ / "cache");
    return OpenData(data_, /*seed=*/1, nullptr);
  }

  static void ReadAll(const Dataset& data, Batch* batch) {
    std::vector<uint32_t> indices(static_cast<size_t>(data.size()));
    std::iota(indices.begin(), indices.end(), 0);
    data.Read(indices, batch);
  }

  testing::TemporaryFolder folder_;
  v1::Data data_;
};

TEST_F(RealFilesTest, FashionMnistIsReadWhole) {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << folder << " is missing: install the package dataset-fashion-mnist";
  }
  data_.set_train(folder + "train-images-idx3-ubyte.gz");
  data_.mutable_validation()->set_path(folder + "t10k-images-idx3-ubyte.gz");
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->train->size(), 60'000);
  EXPECT_EQ(sets->validation->size(), 10'000);
  EXPECT_EQ(sets->train->features(), 784);
  EXPECT_EQ(sets->train->example_shape().height, 28);
  // The ten classes have 6,000 examples each.
  std::vector<int> classes(10);
  for (int i = 0; i < 60'000; ++i) ++classes.at(static_cast<size_t>(sets->train->label(i)));
  EXPECT_THAT(classes, ::testing::Each(6000));
  // Mean of all training pixels, published with the data set's statistics: 0.2860.
  Batch batch;
  ReadAll(*sets->train, &batch);
  double sum = 0;
  for (const float pixel : batch.dense.span().first(size_t{60'000} * 784)) sum += pixel;
  EXPECT_NEAR(sum / (60'000.0 * 784), 0.2860, 0.0001);
}

TEST_F(RealFilesTest, A9aIsReadWhole) {
  const std::string folder = CONVOY_SHARED_DATA "/a9a/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is missing";
  data_.set_train(folder + "a9a.libsvm.gz");
  data_.mutable_validation()->set_path(folder + "a9a.t.libsvm.gz");
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->train->size(), 32'561);
  EXPECT_EQ(sets->train->features(), 123);
  EXPECT_EQ(sets->validation->size(), 16'281);
  EXPECT_EQ(sets->validation->features(), 123);  // its own indices end at 122
  Batch batch;
  ReadAll(*sets->train, &batch);
  EXPECT_NEAR(static_cast<double>(batch.values.size()) / 32'561, 13.87, 0.005);
  EXPECT_EQ(std::count(batch.labels.begin(), batch.labels.end(), 1.0F), 7'841);
  EXPECT_EQ(std::count(batch.labels.begin(), batch.labels.end(), -1.0F), 24'720);
}

}  // namespace
}  // namespace convoy
