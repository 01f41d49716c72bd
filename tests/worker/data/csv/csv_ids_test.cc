// CSV files with ID columns: all features become ids.
#include "absl/strings/str_cat.h"
#include "tests/worker/data/csv/csv_text.h"
#include "worker/data/csv/id_values.h"
#include "worker/data/csv/schema_json.h"
#include "worker/data/csv/schema_layout.h"
#include "worker/data/dataset.h"
#include "worker/data/id_reader.h"

namespace convoy {
namespace {

using ::convoy::testing::CsvSettings;
using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::convoy::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

uint64_t Id(std::string_view column, std::string_view text) {
  return HashedId(text, NameHash(column));
}

class CsvIdsTest : public ::testing::Test {
 protected:
  absl::StatusOr<DataSets> Open(const std::string& text, const std::string& settings) {
    data_.set_train(folder_.Write("a.csv", text));
    testing::SetModificationTime(data_.train(), ++modified_);
    data_.set_cache_dir(folder_ / "cache");
    *data_.mutable_csv() = CsvSettings(settings);
    return OpenData(data_, 1, nullptr);
  }

  static Batch Rows(const Dataset& data, std::vector<uint32_t> rows) {
    Batch batch;
    data.Read(rows, &batch);
    return batch;
  }

  const TemporaryFolder folder_;
  v1::Data data_;
  int64_t modified_ = 1'600'000'000'000'000'000;
};

constexpr char kRatings[] =
    "label: 'rating' label_type: NUMBER column { name: 'userId' id_from: NUMBER } "
    "column { name: 'movieId' id_from: NUMBER } column { name: 'timestamp' type: IGNORE }";

TEST_F(CsvIdsTest, RatingsAreTwoFieldsOfIdsAndANumber) {
  const auto sets =
      Open("userId,movieId,rating,timestamp\n1,9223372036854775808,4.5,964982703\n600,1,2,1\n",
           kRatings);
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_TRUE(sets->train->has_ids());
  EXPECT_EQ(sets->train->fields(), 2);
  EXPECT_EQ(sets->train->features(), 0);
  const Batch batch = Rows(*sets->train, {1, 0});
  EXPECT_THAT(batch.labels, ElementsAre(2, 4.5F));
  EXPECT_THAT(batch.row_offsets, ElementsAre(0, 2, 4));
  EXPECT_THAT(batch.ids, ElementsAre(600, 1, 1, uint64_t{1} << 63));
  EXPECT_THAT(batch.fields, ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(batch.values, ElementsAre(1, 1, 1, 1));
}

TEST_F(CsvIdsTest, AWrongIdIsABadLineThatNamesTheColumn) {
  for (const char* id : {"9223372036854775809", "-1", "1.5", "x", "+1", "99999999999999999999"}) {
    EXPECT_THAT(
        Open(absl::StrCat("userId,movieId,rating,timestamp\n1,2,3,4\n1,", id, ",3,4\n"), kRatings)
            .status(),
        Fails(kInvalid, HasSubstr(absl::StrCat(
                            "a.csv:3: column \"movieId\": expected an id, a whole number from 0 to "
                            "9223372036854775808, got \"",
                            id, "\""))));
  }
  EXPECT_THAT(Open("userId,movieId,rating,timestamp\n1,,3,4\n", kRatings).status(),
              Fails(kInvalid, HasSubstr("a.csv:2: column \"movieId\": the value is missing")));
  const auto sets = Open("userId,movieId,rating,timestamp\n1,x,3,4\n5,6,3,4\n",
                         absl::StrCat(kRatings, " max_bad_lines: 1"));
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_THAT(Rows(*sets->train, {0}).ids, ElementsAre(5, 6));
  EXPECT_EQ(sets->schema->bad_lines(), 1U);
}

TEST_F(CsvIdsTest, TextIsHashedWithTheNameOfItsColumn) {
  const auto sets = Open("ad,site,y\nx,x,no\n,y,yes\n",
                         "label: 'y' label_type: CLASS column { name: 'ad' type: ID } "
                         "column { name: 'site' type: ID }");
  ASSERT_TRUE(sets.ok()) << sets.status();
  EXPECT_THAT(Rows(*sets->train, {0, 1}).ids,
              ElementsAre(Id("ad", "x"), Id("site", "x"), Id("ad", ""), Id("site", "y")));
  EXPECT_NE(Id("ad", "x"), Id("site", "x"));
  EXPECT_LT(Id("ad", "x"), kMaxId);
}

TEST_F(CsvIdsTest, MissingZeroGivesNoId) {
  const auto sets = Open("ad,site,y\n,x,no\n,,yes\n",
                         "label: 'y' label_type: CLASS missing_category: ZERO "
                         "column { name: 'ad' id_from: NUMBER } column { name: 'site' type: ID }");
  ASSERT_TRUE(sets.ok()) << sets.status();
  const Batch batch = Rows(*sets->train, {0, 1});
  EXPECT_THAT(batch.row_offsets, ElementsAre(0, 1, 1));
  EXPECT_THAT(batch.fields, ElementsAre(1));
}

TEST_F(CsvIdsTest, ValuesBetweenSeparatorsAreIdsOfWhichEachCountsOnce) {
  const auto sets = Open("tags,n,y\na|b|a||,3|1|3,no\nc,,yes\n",
                         "label: 'y' label_type: CLASS separator: ',' "
                         "column { name: 'tags' value_separator: '|' } "
                         "column { name: 'n' id_from: NUMBER value_separator: '|' missing: ZERO }");
  ASSERT_TRUE(sets.ok()) << sets.status();
  const Batch first = Rows(*sets->train, {0});
  EXPECT_THAT(first.ids, UnorderedElementsAre(Id("tags", "a"), Id("tags", "b"), 1, 3));
  EXPECT_THAT(first.fields, ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(Rows(*sets->train, {1}).ids, ElementsAre(Id("tags", "c")));
}

// x is 1, 3: mean 2, deviation 1. The categories of c are numbered a: 0, b: 1.
TEST_F(CsvIdsTest, OtherColumnsBecomeIdsOfTheirFeatures) {
  const auto sets = Open("x,c,u,y\n1,b,7,no\n3,a,8,no\n1,b,9,yes\n3,a,7,yes\n",
                         "label: 'y' label_type: CLASS column { name: 'u' id_from: NUMBER }");
  ASSERT_TRUE(sets.ok()) << sets.status();
  const Batch batch = Rows(*sets->train, {0, 1});
  EXPECT_THAT(batch.ids, ElementsAre(Id("x", "0"), Id("c", "1"), 7, Id("x", "0"), Id("c", "0"), 8));
  EXPECT_THAT(batch.values, ElementsAre(-1, 1, 1, 1, 1, 1));
  EXPECT_THAT(batch.fields, ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST_F(CsvIdsTest, TheSchemaOfARunReadsOtherFiles) {
  const auto sets =
      Open("x,tags,u,y\n1,a|b,7,no\n3,c,8,yes\n",
           "label: 'y' label_type: CLASS separator: ',' column { name: 'u' id_from: NUMBER } "
           "column { name: 'tags' value_separator: '|' }");
  ASSERT_TRUE(sets.ok()) << sets.status();
  const std::string json = SchemaToJson(*sets->schema);
  const auto schema = ParseSchema(json, "schema.json");
  ASSERT_TRUE(schema.ok()) << schema.status() << json;
  const std::string path = folder_.Write("b.csv", "u,tags,x\n9,c|a,3\n");
  const auto file =
      OpenFile(data_, path, nullptr, {std::make_shared<const v1::Schema>(*schema), false});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE((*file)->has_labels());
  EXPECT_EQ((*file)->fields(), 3);
  const Batch batch = Rows(**file, {0});
  EXPECT_THAT(batch.ids, UnorderedElementsAre(Id("x", "0"), Id("tags", "a"), Id("tags", "c"), 9));
}

TEST(CsvIdSchemaTest, WhatCanNotHaveBeenLearntIsRefused) {
  v1::Schema schema;
  schema.set_version(kSchemaVersion);
  schema.set_separator(",");
  schema.set_fields(2);
  schema.mutable_label()->set_name("y");
  schema.mutable_label()->set_number(2);
  v1::FeatureColumn* const column = schema.add_column();
  column->set_name("u");
  column->set_number(1);
  column->mutable_id()->set_missing(v1::CsvColumn::ZERO);
  ASSERT_TRUE(LayOutFeatures(&schema).ok());
  EXPECT_TRUE(schema.ids());
  EXPECT_TRUE(CheckSchema(schema).ok());
  v1::Schema wrong = schema;
  wrong.set_ids(false);
  EXPECT_FALSE(CheckSchema(wrong).ok());
  wrong = schema;
  wrong.mutable_column(0)->mutable_id()->set_separator("||");
  EXPECT_FALSE(CheckSchema(wrong).ok());
  wrong = schema;
  wrong.mutable_column(0)->mutable_id()->set_missing(v1::CsvColumn::MEAN);
  EXPECT_FALSE(CheckSchema(wrong).ok());
  wrong.mutable_column(0)->mutable_id()->set_missing(v1::CsvColumn::CATEGORY);
  EXPECT_TRUE(CheckSchema(wrong).ok());
  wrong.mutable_column(0)->mutable_id()->set_from(v1::CsvColumn::NUMBER);
  EXPECT_FALSE(CheckSchema(wrong).ok());
}

}  // namespace
}  // namespace convoy
