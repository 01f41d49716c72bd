#include "worker/data/csv/schema_learner.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/csv/csv_text.h"

namespace convoy {
namespace {

using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::convoy::testing::Learn;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Schema Learnt(std::string_view text, const std::string& settings) {
  const auto schema = Learn(text, settings);
  EXPECT_TRUE(schema.ok()) << schema.status();
  return schema.ok() ? *schema : v1::Schema();
}

std::vector<std::string> Names(const v1::Schema& schema) {
  std::vector<std::string> names;
  for (const v1::FeatureColumn& column : schema.column()) names.push_back(column.name());
  return names;
}

TEST(SchemaLearnerTest, NumbersAreStandardisedAndTextBecomesCategories) {
  const v1::Schema schema =
      Learnt("age,job,y\n1,cook,no\n2,cook,yes\n6,maid,no\n7,maid,no\n", "label: 'y'");
  ASSERT_THAT(Names(schema), ElementsAre("age", "job"));
  const v1::NumericTreatment& age = schema.column(0).numeric();
  EXPECT_EQ(age.mean(), 4);                    // (1 + 2 + 6 + 7) / 4
  EXPECT_EQ(age.deviation(), std::sqrt(6.5));  // (9 + 4 + 4 + 9) / 4
  EXPECT_THAT(schema.column(1).dictionary().category(), ElementsAre("cook", "maid"));
  EXPECT_EQ(schema.column(1).first_feature(), 1U);
  EXPECT_EQ(schema.features(), 3U);
  EXPECT_FALSE(schema.sparse());
  EXPECT_THAT(schema.label().class_name(), ElementsAre("no", "yes"));
  EXPECT_EQ(schema.rows(), 4U);
}

TEST(SchemaLearnerTest, TheMeanOfNumbersFarFromZeroIsExact) {
  // Deviation 1 beside a mean of 1e9: sums of squares would lose it in 53 bits.
  const v1::Schema schema =
      Learnt("x,y\n1000000001,0\n999999999,1\n1000000001,0\n999999999,1\n", "label: 'y'");
  EXPECT_EQ(schema.column(0).numeric().mean(), 1e9);
  EXPECT_EQ(schema.column(0).numeric().deviation(), 1);
}

TEST(SchemaLearnerTest, AConstantColumnHasDeviationOne) {
  EXPECT_EQ(Learnt("x,y\n5,0\n5,1\n", "label: 'y'").column(0).numeric().deviation(), 1);
}

TEST(SchemaLearnerTest, LogarithmsAreTakenBeforeTheMean) {
  const v1::Schema schema =
      Learnt("x,y\n0,0\n-3,1\n", "label: 'y' column { name: 'x' transform: LOG }");
  EXPECT_DOUBLE_EQ(schema.column(0).numeric().mean(), -std::log(4) / 2);
  EXPECT_DOUBLE_EQ(schema.column(0).numeric().deviation(), std::log(4) / 2);
}

TEST(SchemaLearnerTest, BucketsHaveAboutAsManyRowsEach) {
  std::string text = "x,y\n";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, i * 37 % 100, ",", i % 2, "\n");
  const v1::Schema schema = Learnt(text, "label: 'y' column { name: 'x' buckets: 4 }");
  EXPECT_THAT(schema.column(0).numeric().edge(), ElementsAre(25, 50, 75));
  EXPECT_EQ(schema.features(), 4U);
}

TEST(SchemaLearnerTest, EqualQuantilesAreOneEdge) {
  const v1::Schema schema =
      Learnt("x,y\n0,0\n0,1\n0,0\n0,1\n9,0\n", "label: 'y' transform: BUCKET buckets: 5");
  EXPECT_THAT(schema.column(0).numeric().edge(), ElementsAre(9));
}

TEST(SchemaLearnerTest, RareCategoriesShareTheUnknownFeature) {
  const std::string text = "c,y\na,0\na,1\nb,0\nb,1\nb,0\nrare,1\n";
  const v1::Schema schema = Learnt(text, "label: 'y'");
  EXPECT_THAT(schema.column(0).dictionary().category(), ElementsAre("a", "b"));
  EXPECT_TRUE(schema.column(0).dictionary().unknown_feature());
  const v1::Schema most = Learnt(text, "label: 'y' max_categories: 1");
  EXPECT_THAT(most.column(0).dictionary().category(), ElementsAre("b"));
  const v1::Schema all = Learnt(text, "label: 'y' min_count: 1");
  EXPECT_THAT(all.column(0).dictionary().category(), ElementsAre("a", "b", "rare"));
  EXPECT_FALSE(all.column(0).dictionary().unknown_feature());
}

TEST(SchemaLearnerTest, ManyCategoriesMakeASparseSchema) {
  std::string text = "c,y\n";
  for (int i = 0; i < 400; ++i) absl::StrAppend(&text, "name", i % 200, ",", i % 2, "\n");
  const v1::Schema schema = Learnt(text, "label: 'y'");
  EXPECT_EQ(schema.features(), 200U);
  EXPECT_TRUE(schema.sparse());
}

TEST(SchemaLearnerTest, ClassesThatAreNumbersAreInTheirOrder) {
  EXPECT_THAT(Learnt("x,y\n1,10\n2,9\n3,-1\n", "label: 'y' label_type: CLASS").label().class_name(),
              ElementsAre("-1", "9", "10"));
}

TEST(SchemaLearnerTest, ALabelThatIsANumberHasNoClasses) {
  EXPECT_THAT(Learnt("x,y\n1,10\n2,9.5\n", "label: 'y' label_type: NUMBER").label().class_name(),
              IsEmpty());
}

TEST(SchemaLearnerTest, SeparatorAndHeaderAreFound) {
  const v1::Schema semicolons = Learnt("a;b;y\n1,5;2;0\n3;4,5;1\n", "label: 'y'");
  EXPECT_EQ(semicolons.separator(), ";");
  EXPECT_TRUE(semicolons.header());
  const v1::Schema numbers = Learnt("1,2,0\n3,4,1\n", "label: '3'");
  EXPECT_FALSE(numbers.header());
  EXPECT_THAT(Names(numbers), ElementsAre("1", "2"));
  EXPECT_EQ(numbers.rows(), 2U);
  EXPECT_TRUE(Learnt("2020,y\n3,a\n4,b\n", "label: 'y'").header());
  const v1::Schema numbered = Learnt("1,14.2,1\n2,13.1,1\n1,12.9,3\n", "label: '1'");
  EXPECT_FALSE(numbered.header()) << "1 is a value of the first row, and the label's number";
  EXPECT_TRUE(Learnt("0,1,2\n5,a,7\n6,b,8\n", "label: '1'").header()) << "as pandas calls them";
}

TEST(SchemaLearnerTest, ColumnsWithoutNameOrValueAreIgnored) {
  EXPECT_THAT(Names(Learnt(",x,empty,y\n0,1,,a\n1,2,NA,b\n", "label: 'y'")), ElementsAre("x"));
}

TEST(SchemaLearnerTest, AColumnIsOfTheTypeThatTheJobSays) {
  const v1::Schema schema =
      Learnt("zip,id,x,y\n10115,1,1,a\n10115,2,2,b\n",
             "label: 'y' column { name: 'zip' type: CATEGORICAL }"
             "column { name: 'id' type: IGNORE } column { name: 'x' hash_buckets: 8 }");
  ASSERT_THAT(Names(schema), ElementsAre("zip", "x"));
  EXPECT_THAT(schema.column(0).dictionary().category(), ElementsAre("10115"));
  EXPECT_EQ(schema.column(1).hash().buckets(), 8U);
}

TEST(SchemaLearnerTest, AColumnIsNumericByItsFirstTenThousandRowsAndTextBehindThemIsNamed) {
  std::string text = "id,age,y\n";
  for (int i = 2; i < 20'000; ++i) absl::StrAppend(&text, i, ",", i % 90, ",", i % 2, "\n");
  text += "20000,forty,1\n1,2,0\n";
  EXPECT_THAT(Learn(text, "label: 'y'").status(),
              Fails(kInvalid, AllOf(HasSubstr("a.csv:20000: column \"age\": expected a number"),
                                    HasSubstr("got \"forty\""), HasSubstr("type: CATEGORICAL"))));
  const v1::Schema schema = Learnt(text, "label: 'y' max_bad_lines: 1");
  EXPECT_EQ(schema.rows(), 19'999U);
  EXPECT_EQ(schema.bad_lines(), 1U);
  EXPECT_THAT(schema.first_bad_line(), HasSubstr("line 20000: column \"age\""));
}

TEST(SchemaLearnerTest, ABadLineTeachesNothing) {
  const v1::Schema with = Learnt("x,c,z,y\n1,a,1,0\n3,a,2,1\n100,b,bad,0\n100,b,1,0,0\n",
                                 "label: 'y' max_bad_lines: 2");
  EXPECT_EQ(with.column(0).numeric().mean(), 2);
  EXPECT_THAT(with.column(1).dictionary().category(), ElementsAre("a"));
  EXPECT_FALSE(with.column(1).dictionary().unknown_feature());
}

TEST(SchemaLearnerTest, TooManyBadLinesNameTheLastAndTheFirst) {
  EXPECT_THAT(
      Learn("x,y\n1,0\n1\n2,1\n3,4,5\n", "label: 'y' max_bad_lines: 1").status(),
      Fails(kInvalid, AllOf(HasSubstr("a.csv:5: expected 2 fields, as in the first line, got 3"),
                            HasSubstr("data.csv.max_bad_lines is 1"),
                            HasSubstr("the first was line 3: expected 2 fields"))));
}

TEST(SchemaLearnerTest, AMissingColumnIsSuggested) {
  const std::string text = "age,income\n1,a\n2,b\n";
  EXPECT_THAT(
      Learn(text, "label: 'incone'").status(),
      Fails(kInvalid,
            HasSubstr("there is no column \"incone\" (data.csv.label), did you mean \"income\"? "
                      "Its columns: age, income")));
  EXPECT_THAT(Learn(text, "label: 'income' column { name: 'Aeg' }").status(),
              Fails(kInvalid, HasSubstr("\"Aeg\" (data.csv.column), did you mean \"age\"?")));
}

TEST(SchemaLearnerTest, MissingLabelsAndForbiddenMissingValuesAreBadLines) {
  EXPECT_THAT(Learn("x,y\n1,a\n2,\n", "label: 'y'").status(),
              Fails(kInvalid, HasSubstr("a.csv:3: column \"y\": the label is missing")));
  EXPECT_THAT(Learn("x,y\n1,a\nNA,b\n", "label: 'y' missing_number: ERROR").status(),
              Fails(kInvalid, HasSubstr("a.csv:3: column \"x\": the value is missing")));
}

TEST(SchemaLearnerTest, FilesWithoutRowsOrColumnsAreRefused) {
  EXPECT_THAT(Learn("", "label: 'y'").status(),
              Fails(kInvalid, HasSubstr("a.csv: the file is empty")));
  EXPECT_THAT(Learn("x,y\n", "label: 'y'").status(), Fails(kInvalid, HasSubstr("no rows")));
  EXPECT_THAT(Learn("y\na\nb\n", "label: 'y'").status(),
              Fails(kInvalid, HasSubstr("no column to learn from")));
  EXPECT_THAT(Learn("x,x,y\n1,2,3\n", "label: 'y'").status(),
              Fails(kInvalid, HasSubstr("two columns are called \"x\"")));
}

TEST(SchemaLearnerTest, ALabelWithAsManyClassesAsRowsIsProbablyANumber) {
  std::string text = "x,y\n";
  for (int i = 0; i < 10'002; ++i) absl::StrAppend(&text, i, ",v", i, "\n");
  EXPECT_THAT(Learn(text, "label: 'y'").status(),
              Fails(kInvalid, AllOf(HasSubstr("label \"y\" has more than 10000"),
                                    HasSubstr("linear_regression"))));
}

}  // namespace
}  // namespace convoy
