#include "worker/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/dataset_fixture.h"
#include "worker/data/default_cache_dir.h"

namespace convoy {
namespace {

using ::convoy::testing::BigEndianBytes;
using ::convoy::testing::Fails;
using ::convoy::testing::Gzipped;
using ::convoy::testing::Idx;
using ::convoy::testing::kInvalid;
using ::convoy::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(DatasetTest, ImagesAreScaledFromBytesAndKeepTheirShape) {
  UseImages();
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  const Dataset& train = *sets->train;
  EXPECT_EQ(train.size(), 3);
  EXPECT_EQ(train.features(), 4);
  EXPECT_FALSE(train.sparse());
  EXPECT_EQ(train.example_shape().height, 2);
  EXPECT_EQ(train.example_shape().width, 2);
  EXPECT_EQ(train.example_shape().channels, 1);
  EXPECT_EQ(sets->validation, nullptr);
  EXPECT_EQ(train.label(1), 6);
  Batch batch;
  train.Read(std::vector<uint32_t>{2, 0}, &batch);
  const float s = 1.0F / 255;
  EXPECT_THAT(Dense(batch), ElementsAre(252 * s, 253 * s, 254 * s, 255 * s, 0, s, 2 * s, 3 * s));
  EXPECT_THAT(batch.labels, ElementsAre(7, 5));
  EXPECT_THAT(batch.examples, ElementsAre(2, 0));
  EXPECT_EQ(batch.size, 2);
  EXPECT_EQ(batch.features, 4);
}

TEST_F(DatasetTest, ScaleOfTheJobReplacesTheDefault) {
  UseImages();
  data_.set_scale(2);
  Batch batch;
  Open()->train->Read(std::vector<uint32_t>{0}, &batch);
  EXPECT_THAT(Dense(batch), ElementsAre(0, 2, 4, 6));
}

TEST_F(DatasetTest, IdxOfOtherTypesIsNotScaledByDefault) {
  data_.set_train(
      folder_.Write("v.idx", Idx(0x0B, {2, 1}, BigEndianBytes(300, 2) + BigEndianBytes(7, 2))));
  data_.set_train_labels(folder_.Write("l.idx", Idx(0x08, {2}, "\1\2")));
  Batch batch;
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  sets->train->Read(std::vector<uint32_t>{0, 1}, &batch);
  EXPECT_THAT(Dense(batch), ElementsAre(300, 7));
}

TEST_F(DatasetTest, FourDimensionsAreHeightWidthAndChannels) {
  data_.set_train(folder_.Write("v.idx", Idx(0x08, {1, 2, 3, 4}, std::string(24, 'x'))));
  data_.set_train_labels(folder_.Write("l.idx", Idx(0x08, {1}, "\1")));
  const ExampleShape shape = Open()->train->example_shape();
  EXPECT_EQ(shape.height, 2);
  EXPECT_EQ(shape.width, 3);
  EXPECT_EQ(shape.channels, 4);
}

TEST_F(DatasetTest, SparseRowsAreGatheredInTheOrderAsked) {
  data_.set_train(folder_.Write("a.libsvm", "1 1:0.5 3:2\n-1\n3 2:4\n"));
  data_.set_scale(10);
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_TRUE(sets->train->sparse());
  EXPECT_EQ(sets->train->features(), 3);
  Batch batch;
  sets->train->Read(std::vector<uint32_t>{2, 1, 0}, &batch);
  EXPECT_TRUE(batch.sparse);
  EXPECT_THAT(batch.labels, ElementsAre(3, -1, 1));
  EXPECT_THAT(batch.row_offsets, ElementsAre(0, 1, 1, 3));
  EXPECT_THAT(batch.columns, ElementsAre(1, 0, 2));
  EXPECT_THAT(batch.values, ElementsAre(40, 5, 20));
}

TEST_F(DatasetTest, AnEmptyBatchIsAllowed) {
  UseRows(3);
  Batch batch;
  const auto sets = Open();
  sets->train->Read(std::vector<uint32_t>{0, 1}, &batch);
  sets->train->Read({}, &batch);
  EXPECT_EQ(batch.size, 0);
  EXPECT_THAT(batch.row_offsets, ElementsAre(0));
  EXPECT_TRUE(batch.labels.empty());
}

TEST_F(DatasetTest, ReadingReusesTheMemoryOfTheBatch) {
  UseImages();
  const auto dense = Open();
  Batch batch;
  dense->train->Read(std::vector<uint32_t>{0, 1, 2}, &batch);
  const float* const memory = batch.dense.data();
  const float* const labels = batch.labels.data();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0U);
  dense->train->Read(std::vector<uint32_t>{1, 0}, &batch);
  EXPECT_EQ(batch.dense.data(), memory);
  EXPECT_EQ(batch.labels.data(), labels);
}

TEST_F(DatasetTest, IndexAboveTheFeaturesNamesFileAndLine) {
  data_.set_train(folder_.Write("t.libsvm", "1 1:1 9:1\n"));
  data_.mutable_validation()->set_path(folder_.Write("v.libsvm", "1 2:1\n0 12:1\n"));
  EXPECT_THAT(Open().status(),
              Fails(kInvalid, HasSubstr("v.libsvm:2: index 12: expected at most 9")));
  data_.clear_validation();
  data_.set_features(5);
  EXPECT_THAT(Open().status(),
              Fails(kInvalid, HasSubstr("t.libsvm:1: index 9: expected at most 5")));
  data_.set_zero_based(true);
  EXPECT_THAT(Open().status(),
              Fails(kInvalid, HasSubstr("t.libsvm:1: index 9: expected at most 4")));
}

TEST_F(DatasetTest, MoreFeaturesThanTheFileUsesAreAllowedForSparseOnly) {
  data_.set_train(folder_.Write("t.libsvm", "1 1:1 9:1\n"));
  data_.set_features(20);
  EXPECT_EQ(Open()->train->features(), 20);
  UseImages();
  EXPECT_THAT(Open().status(),
              Fails(kInvalid, HasSubstr("expected 20 features an example, got 4")));
}

TEST_F(DatasetTest, AFileWithoutAnyFeatureNeedsTheirNumber) {
  data_.set_train(folder_.Write("t.libsvm", "1\n0\n"));
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("set data.features")));
  data_.set_features(2);
  EXPECT_EQ(Open()->train->features(), 2);
}

TEST_F(DatasetTest, MissingFilesAreNotFound) {
  EXPECT_THAT(Open().status(), Fails(kInvalid, "data.train is not set"));
  data_.set_train(folder_ / "none");
  EXPECT_THAT(Open().status(), Fails(absl::StatusCode::kNotFound, HasSubstr("none: can't open")));
  UseImages();
  std::filesystem::remove(folder_ / "t-labels-idx1-ubyte");
  EXPECT_THAT(Open().status(),
              Fails(absl::StatusCode::kNotFound, HasSubstr("t-labels-idx1-ubyte: can't open")));
}

TEST_F(DatasetTest, LabelsThatCannotBeGuessedMustBeNamed) {
  data_.set_train(folder_.Write("pictures.idx", Idx(0x08, {1, 1}, "x")));
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("set data.train_labels")));
}

TEST_F(DatasetTest, GivenFormatIsNotGuessed) {
  data_.set_train(folder_.Write("t.libsvm", "1 1:1\n"));
  data_.set_format(v1::Data::IDX);
  data_.set_train_labels(data_.train());
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("not an IDX file")));
  data_.set_train(folder_.Write("empty", ""));
  data_.set_format(v1::Data::AUTO);
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("got an empty file")));
}

TEST_F(DatasetTest, OpenFileFindsLabelsByNameAndDoesWithoutThem) {
  UseImages();
  auto labelled = OpenFile(data_, data_.train(), nullptr);
  ASSERT_TRUE(labelled.ok()) << labelled.status();
  EXPECT_TRUE((*labelled)->has_labels());
  const std::string path = folder_.Write("other", Gzipped(Idx(0x08, {1, 2, 2}, "abcd")));
  auto unlabelled = OpenFile(data_, path, nullptr);
  ASSERT_TRUE(unlabelled.ok()) << unlabelled.status();
  EXPECT_FALSE((*unlabelled)->has_labels());
  EXPECT_TRUE(std::isnan((*unlabelled)->label(0)));
  Batch batch;
  batch.labels = {1, 2, 3};
  (*unlabelled)->Read(std::vector<uint32_t>{0}, &batch);
  EXPECT_TRUE(batch.labels.empty());
  EXPECT_EQ(batch.size, 1);
}

TEST_F(DatasetTest, OpenFileUsesLabelsScaleAndFeaturesOfTheJob) {
  data_.set_train(folder_.Write("train.idx", Idx(0x08, {2, 2}, "abcd")));
  data_.set_train_labels(folder_.Write("answers", Idx(0x08, {2}, "\1\2")));
  data_.set_scale(0.5);
  auto file = OpenFile(data_, data_.train(), nullptr);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE((*file)->has_labels());
  Batch batch;
  (*file)->Read(std::vector<uint32_t>{0}, &batch);
  EXPECT_THAT(Dense(batch), ElementsAre('a' * 0.5F, 'b' * 0.5F));
  data_.set_features(3);
  EXPECT_THAT(OpenFile(data_, data_.train(), nullptr).status(),
              Fails(kInvalid, HasSubstr("expected 3 features")));
}

TEST_F(DatasetTest, OpenFileFindsLabelsOfTheJobHoweverThePathIsWritten) {
  const std::string images = folder_.Write("pictures", Idx(0x08, {2, 2}, "abcd"));
  data_.set_train(images);
  data_.set_train_labels(folder_.Write("answers", Idx(0x08, {2}, "\1\2")));
  for (v1::Validation* part : {data_.mutable_validation(), data_.mutable_test()}) {
    const std::string name = part == &data_.validation() ? "v" : "t";
    part->set_path(folder_.Write(name, Idx(0x08, {2, 2}, "efgh")));
    part->set_labels(folder_.Write(name + "-answers", Idx(0x08, {2}, "\3\4")));
  }
  for (const std::string& path : {data_.train(), data_.validation().path(), data_.test().path()}) {
    const std::string relative = std::filesystem::relative(path).string();
    ASSERT_NE(relative, path);
    const auto file = OpenFile(data_, relative, nullptr);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->has_labels()) << relative;
  }
}

TEST_F(DatasetTest, FingerprintFollowsContentsAndOptionsNotNames) {
  UseRows(10);
  const uint64_t original = Open()->train->fingerprint();
  EXPECT_EQ(Open()->train->fingerprint(), original);
  std::filesystem::rename(data_.train(), folder_ / "renamed");
  data_.set_train(folder_ / "renamed");
  EXPECT_EQ(Open()->train->fingerprint(), original);
  data_.set_scale(2);
  EXPECT_NE(Open()->train->fingerprint(), original);
  data_.clear_scale();
  data_.mutable_validation()->set_fraction(0.5);
  const uint64_t split = Open(1)->train->fingerprint();
  EXPECT_NE(split, original);
  EXPECT_NE(Open(2)->train->fingerprint(), split);
  data_.clear_validation();
  UseRows(11);
  EXPECT_NE(Open()->train->fingerprint(), original);
}

TEST_F(DatasetTest, DefaultCacheFolderFollowsTheEnvironment) {
  const char* const old = std::getenv("XDG_CACHE_HOME");
  const std::string saved = old == nullptr ? "" : old;
  ::setenv("XDG_CACHE_HOME", "/var/somewhere", 1);
  EXPECT_EQ(DefaultCacheDir(), "/var/somewhere/convoy");
  ::setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
  EXPECT_THAT(DefaultCacheDir(), ::testing::Not(HasSubstr("relative")));
  old == nullptr ? ::unsetenv("XDG_CACHE_HOME") : ::setenv("XDG_CACHE_HOME", saved.c_str(), 1);
}

}  // namespace
}  // namespace convoy
