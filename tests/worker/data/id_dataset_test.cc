// Data of ids through OpenData: formats, the cache, fields of other files.
#include "absl/strings/str_cat.h"
#include "data_files.h"
#include "worker/data/cache.h"
#include "worker/data/dataset.h"
#include "worker/data/file_format.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::convoy::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class IdDatasetTest : public ::testing::Test {
 protected:
  IdDatasetTest() { data_.set_cache_dir(folder_ / "cache"); }

  absl::StatusOr<DataSets> Open() const { return OpenData(data_, 1, nullptr); }

  // The header of the cache of the training file.
  CacheHeader Header(v1::Data::Format format) {
    CacheSource source;
    source.format = format;
    source.examples = data_.train();
    source.ids = data_.ids();
    CacheOptions options;
    options.directory = data_.cache_dir();
    const auto cache = OpenCache(source, options);
    EXPECT_TRUE(cache.ok()) << cache.status();
    return (*cache)->view().header();
  }

  const TemporaryFolder folder_;
  v1::Data data_;
  int64_t modified_ = 1'600'000'000'000'000'000;
};

TEST_F(IdDatasetTest, LibffmIsDetectedAndGatheredInTheOrderAsked) {
  data_.set_train(folder_.Write("a.txt", "1 0:7:0.5 2:70000000000:2\n-1\n3 1:4:1\n"));
  data_.set_scale(10);
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_TRUE(sets->train->has_ids());
  EXPECT_TRUE(sets->train->sparse());
  EXPECT_EQ(sets->train->features(), 0);
  EXPECT_EQ(sets->train->fields(), 3);
  Batch batch;
  sets->train->Read(std::vector<uint32_t>{2, 1, 0}, &batch);
  EXPECT_THAT(batch.labels, ElementsAre(3, -1, 1));
  EXPECT_THAT(batch.row_offsets, ElementsAre(0, 1, 1, 3));
  EXPECT_THAT(batch.ids, ElementsAre(4, 7, 70000000000));
  EXPECT_THAT(batch.fields, ElementsAre(1, 0, 2));
  EXPECT_THAT(batch.values, ElementsAre(10, 5, 20));
  EXPECT_THAT(batch.columns, IsEmpty());
}

TEST_F(IdDatasetTest, LibsvmHasColumnsUnlessItsIndicesAreIds) {
  data_.set_train(folder_.Write("a.libsvm", "1 3:1 5000000000:2\n"));
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("the largest possible is 4294967295")));
  data_.set_ids(true);
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_TRUE(sets->train->has_ids());
  EXPECT_EQ(sets->train->fields(), 0);
  Batch batch;
  sets->train->Read(std::vector<uint32_t>{0}, &batch);
  EXPECT_THAT(batch.ids, ElementsAre(3, 5000000000));
  EXPECT_THAT(batch.fields, ElementsAre(0, 0));
  EXPECT_THAT(batch.values, ElementsAre(1, 2));
}

TEST_F(IdDatasetTest, ValuesThatAreAllOneAndFieldsThatAreAllZeroAreNotStored) {
  data_.set_train(folder_.Write("a.txt", "1 0:7:1\n0 0:8:1 0:9:1\n"));
  ASSERT_TRUE(Open().ok());
  const CacheHeader header = Header(v1::Data::LIBFFM);
  EXPECT_EQ(header.kind, CacheKind::kIds);
  EXPECT_EQ(header.element, CacheElement::kOne);
  EXPECT_EQ(header.entries, 3U);
  EXPECT_EQ(header.sections[kValues].bytes, 0U);
  EXPECT_EQ(header.sections[kFields].bytes, 0U);
  EXPECT_EQ(header.sections[kIds].bytes, 24U);
  Batch batch;
  const auto sets = Open();
  sets->train->Read(std::vector<uint32_t>{1, 0}, &batch);
  EXPECT_THAT(batch.values, ElementsAre(1, 1, 1));
  EXPECT_THAT(batch.fields, ElementsAre(0, 0, 0));
}

// The first other value or field comes after several pieces of the file were written without any.
TEST_F(IdDatasetTest, ALateValueAndALateFieldBringTheOnesBeforeBack) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) absl::StrAppend(&text, "1 0:", i, ":1\n");
  text += "0 3:5:0.25\n";
  data_.set_train(folder_.Write("a.txt", text));
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  Batch batch;
  sets->train->Read(std::vector<uint32_t>{0, 199'999, 200'000}, &batch);
  EXPECT_THAT(batch.ids, ElementsAre(0, 199'999, 5));
  EXPECT_THAT(batch.values, ElementsAre(1, 1, 0.25F));
  EXPECT_THAT(batch.fields, ElementsAre(0, 0, 3));
  EXPECT_EQ(Header(v1::Data::LIBFFM).sections[kFields].bytes, 2 * 200'001U);
}

TEST_F(IdDatasetTest, OtherFilesHaveTheFieldsOfTheTrainingData) {
  data_.set_train(folder_.Write("a.txt", "1 4:7:1\n"));
  data_.mutable_validation()->set_path(folder_.Write("b.txt", "1 1:7:1\n"));
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->validation->fields(), 5);
  data_.mutable_validation()->set_path(folder_.Write("c.txt", "1 1:7:1\n1 5:7:1\n1 5:8:1\n"));
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("c.txt:2: field 5: expected at most 4")));
  data_.set_fields(6);
  EXPECT_TRUE(Open().ok());
}

TEST_F(IdDatasetTest, FeaturesAreRefused) {
  data_.set_train(folder_.Write("a.txt", "1 4:7:1\n"));
  data_.set_features(10);
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("data.features must not be set")));
}

TEST_F(IdDatasetTest, SkippedLinesAreReported) {
  data_.set_train(folder_.Write("a.txt", "1 4:7:1\n1 x\ny\n0 1:2:1\n"));
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("a.txt:2: ")));
  data_.set_max_bad_lines(2);
  for (int i = 0; i < 2; ++i) {  // built, then read from the cache
    const auto sets = Open();
    ASSERT_TRUE(sets.ok()) << sets.status();
    EXPECT_EQ(sets->train->size(), 2);
    EXPECT_EQ(sets->train->skipped().count, 2U);
    EXPECT_EQ(sets->train->skipped().first, 2U);
  }
  data_.set_max_bad_lines(1);
  EXPECT_THAT(Open().status(), Fails(kInvalid, HasSubstr("data.max_bad_lines is 1")));
}

TEST_F(IdDatasetTest, ColumnsOfLibsvmMayHaveBadLinesToo) {
  data_.set_train(folder_.Write("a.libsvm", "1 4:7\n1 x\n0 1:2 3:y\n0 1:2\n"));
  data_.set_max_bad_lines(2);
  const auto sets = Open();
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_EQ(sets->train->skipped().count, 2U);
  Batch batch;
  sets->train->Read(std::vector<uint32_t>{0, 1}, &batch);
  EXPECT_THAT(batch.row_offsets, ElementsAre(0, 1, 2));
  EXPECT_THAT(batch.columns, ElementsAre(3, 0));
  EXPECT_THAT(batch.ids, IsEmpty());
}

TEST_F(IdDatasetTest, NoLineIsSkippedToPredict) {
  const std::string path = folder_.Write("a.txt", "1 4:7:1\n1 x\n");
  data_.set_max_bad_lines(2);
  EXPECT_TRUE(OpenFile(data_, path, nullptr).ok());
  EXPECT_THAT(OpenFile(data_, path, nullptr, {nullptr, /*labels=*/false}).status(),
              Fails(kInvalid, HasSubstr("a.txt:2: ")));
}

TEST_F(IdDatasetTest, FormatsOfTextAreToldApart) {
  const auto format = [&](const char* text) { return *DetectFormat(folder_.Write("f", text)); };
  EXPECT_EQ(format("1 0:1:1\n"), v1::Data::LIBFFM);
  EXPECT_EQ(format("# c\n-1\t12:34567:0.5 x\n"), v1::Data::LIBFFM);
  EXPECT_EQ(format("1 0:1\n"), v1::Data::LIBSVM);
  EXPECT_EQ(format("1 0:1 2:3:4\n"), v1::Data::LIBSVM);
  EXPECT_EQ(format("1 0:-1:1\n"), v1::Data::LIBSVM);
  EXPECT_EQ(format("1\n"), v1::Data::LIBSVM);
  EXPECT_EQ(format("1\n-1 \r\n0 0:5:1\n"), v1::Data::LIBFFM) << "examples without ids";
  EXPECT_EQ(format("a,b 1:2:3\n"), v1::Data::LIBFFM);
}

TEST_F(IdDatasetTest, FingerprintsDependOnIdsAndFields) {
  const auto fingerprint = [&](const char* text) {
    data_.set_train(folder_.Write("f", text));
    testing::SetModificationTime(data_.train(), ++modified_);
    return Open()->train->fingerprint();
  };
  const uint64_t first = fingerprint("1 0:1:1\n");
  EXPECT_NE(fingerprint("1 0:2:1\n"), first);
  EXPECT_NE(fingerprint("1 1:1:1\n"), first);
  EXPECT_EQ(fingerprint("1 0:1:1\n"), first);
}

}  // namespace
}  // namespace convoy
