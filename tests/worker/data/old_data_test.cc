#include "worker/data/old_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "data_files.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::Idx;
using ::convoy::testing::kInvalid;
using ::convoy::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

class OldDataTest : public ::testing::Test {
 protected:
  OldDataTest() {
    data_.set_cache_dir(folder_ / "cache");
    data_.set_train(folder_.Write("new.libsvm", "1 1:1 3:1\n2 2:1\n"));
    std::string text;
    for (int i = 0; i < 20; ++i) absl::StrAppend(&text, i % 4, " 1:", i + 1, "\n");
    data_.mutable_old()->set_path(folder_.Write("old.libsvm", text));
    data_.mutable_old()->set_replay(0.5);
  }

  absl::StatusOr<OldSets> Open(uint64_t seed = 1) {
    auto sets = OpenData(data_, seed, nullptr);
    EXPECT_TRUE(sets.ok()) << sets.status();
    train_ = std::move(sets->train);
    return OpenOldData(data_, seed, *train_, sets->schema, nullptr);
  }
  static std::set<float> Values(const Dataset& data) {
    std::vector<uint32_t> all(static_cast<size_t>(data.size()));
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    Batch batch;
    data.Read(all, &batch);
    return {batch.values.begin(), batch.values.end()};
  }

  TemporaryFolder folder_;
  v1::Data data_;
  std::unique_ptr<Dataset> train_;
};

TEST_F(OldDataTest, HasTheFeaturesOfTheTrainingData) {
  const auto old = Open();
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->replayed->size(), 20);
  EXPECT_EQ(old->replayed->features(), 3);
  EXPECT_EQ(old->validation, nullptr);
}

TEST_F(OldDataTest, KeepsClassesOfItsOwn) {
  data_.add_keep_classes(1);
  data_.mutable_old()->add_keep_classes(0);
  data_.mutable_old()->add_keep_classes(3);
  data_.mutable_old()->mutable_validation()->set_path(data_.old().path());
  const auto old = Open();
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(train_->size(), 1);
  EXPECT_EQ(old->replayed->size(), 10);
  EXPECT_EQ(old->validation->size(), 10);
  for (int64_t i = 0; i < 10; ++i)
    EXPECT_TRUE(old->replayed->label(i) == 0 || old->replayed->label(i) == 3);
}

TEST_F(OldDataTest, AFractionIsThatOfTheEarlierJobAndNeverReplayed) {
  data_.mutable_old()->mutable_validation()->set_fraction(0.25);
  const auto old = Open(7);
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->replayed->size(), 15);
  EXPECT_EQ(old->validation->size(), 5);
  std::set<float> both = Values(*old->replayed);
  both.merge(Values(*old->validation));
  EXPECT_EQ(both.size(), 20u);
  v1::Data earlier;
  earlier.set_cache_dir(data_.cache_dir());
  earlier.set_train(data_.old().path());
  earlier.mutable_validation()->set_fraction(0.25);
  const auto sets = OpenData(earlier, 7, nullptr);
  ASSERT_TRUE(sets.ok());
  EXPECT_EQ(Values(*sets->validation), Values(*old->validation));
}

TEST_F(OldDataTest, ClickLogsAndColumnsOfIdsAreReplayedToo) {
  const auto line = [](int label, int number) {
    return absl::StrCat(label, "\t", number, std::string(38, '\t'), "\n");
  };
  data_.set_format(v1::Data::CRITEO);
  data_.set_train(folder_.Write("new.tsv", line(1, 5) + line(0, 6)));
  data_.mutable_old()->set_path(folder_.Write("old.tsv", line(1, 7) + line(0, 8) + line(1, 9)));
  const auto clicks = Open();
  ASSERT_TRUE(clicks.ok()) << clicks.status();
  EXPECT_EQ(clicks->replayed->size(), 3);
  EXPECT_EQ(clicks->replayed->fields(), 39);

  data_.set_format(v1::Data::CSV);
  data_.mutable_csv()->set_label("click");
  v1::CsvColumn& column = *data_.mutable_csv()->add_column();
  column.set_name("city");
  column.set_type(v1::CsvColumn::ID);
  data_.set_train(folder_.Write("new.csv", "click,city\n1,a\n0,b\n1,b\n0,c\n"));
  data_.mutable_old()->set_path(folder_.Write("old.csv", "click,city\n0,a\n1,d\n"));
  const auto rows = Open();
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->replayed->size(), 2);
  EXPECT_EQ(rows->replayed->fields(), train_->fields());
}

TEST_F(OldDataTest, MeasuringNeedsNoReplay) {
  data_.mutable_old()->clear_path();
  data_.mutable_old()->clear_replay();
  data_.mutable_old()->mutable_validation()->set_path(folder_.Write("v.libsvm", "1 3:4\n"));
  const auto old = Open();
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->replayed, nullptr);
  EXPECT_EQ(old->validation->size(), 1);
}

TEST_F(OldDataTest, DataOfAnotherKindAreRefused) {
  data_.mutable_old()->set_path(folder_.Write("wide.libsvm", "1 4:1\n"));
  EXPECT_THAT(Open().status(),
              Fails(kInvalid, AllOf(HasSubstr("wide.libsvm:1"), HasSubstr("expected at most 3"))));
  data_.mutable_old()->set_path(folder_.Write("i-images-idx3-ubyte", Idx(0x08, {1, 1, 3}, "abc")));
  folder_.Write("i-labels-idx1-ubyte", Idx(0x08, {1}, "\1"));
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("but the training data are sparse rows")));
}

TEST_F(OldDataTest, ImagesNeedLabelsAndTheSameShape) {
  data_.set_train(folder_.Write("t-images-idx3-ubyte", Idx(0x08, {1, 2, 3}, "abcdef")));
  folder_.Write("t-labels-idx1-ubyte", Idx(0x08, {1}, "\1"));
  const std::string images = folder_.Write("pictures.idx", Idx(0x08, {1, 2, 3}, "ghijkl"));
  data_.mutable_old()->clear_path();
  data_.mutable_old()->clear_replay();
  data_.mutable_old()->mutable_validation()->set_path(images);
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("data.old.validation.labels")));
  const std::string labels = folder_.Write("answers", Idx(0x08, {1}, "\1"));
  data_.mutable_old()->mutable_validation()->set_labels(labels);
  ASSERT_TRUE(Open().ok()) << Open().status();
  data_.mutable_old()->set_path(folder_.Write("turned.idx", Idx(0x08, {1, 3, 2}, "ghijkl")));
  data_.mutable_old()->set_labels(labels);
  data_.mutable_old()->set_replay(0.1);
  EXPECT_THAT(Open().status(), Fails(kInvalid, AllOf(HasSubstr("images of 3 x 2 x 1"),
                                                     HasSubstr("images of 2 x 3 x 1"))));
}

TEST_F(OldDataTest, CsvFilesAreReadWithTheSchemaOfTheTrainingData) {
  data_.mutable_csv()->set_label("bad");
  data_.set_train(folder_.Write("new.csv", "size,kind,bad\n1,a,x\n2,b,y\n3,a,x\n4,b,y\n"));
  data_.mutable_old()->set_path(folder_.Write("old.csv", "bad,kind,size\ny,c,9\nx,a,2\n"));
  const auto old = Open();
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->replayed->size(), 2);
  EXPECT_EQ(old->replayed->features(), train_->features());
  EXPECT_EQ(old->replayed->label(0), 1);
  data_.mutable_old()->set_path(folder_.Write("odd.csv", "size,kind,bad\n1,a,z\n"));
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("odd.csv")));
}

}  // namespace
}  // namespace convoy
