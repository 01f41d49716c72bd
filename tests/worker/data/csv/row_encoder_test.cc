#include "worker/data/csv/row_encoder.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/csv/csv_text.h"

namespace convoy {
namespace {

using ::convoy::testing::Encode;
using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::convoy::testing::Learn;
using ::convoy::testing::LearnAndEncode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RowEncoderTest, NumbersAreStandardisedAndCategoriesAreOneHot) {
  const auto rows = LearnAndEncode("x,c,y\n1,b,no\n3,a,yes\n1,a,no\n3,b,no\n", "label: 'y'");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(rows->features, ElementsAre(ElementsAre(-1, 0, 1), ElementsAre(1, 1, 0),
                                          ElementsAre(-1, 1, 0), ElementsAre(1, 0, 1)));
  EXPECT_THAT(rows->labels, ElementsAre(0, 1, 0, 0));
}

TEST(RowEncoderTest, EachTransformGivesItsFeatures) {
  const std::string text = "x,y\n0,0\n1,1\n2,0\n3,1\n";
  EXPECT_THAT(LearnAndEncode(text, "label: 'y' transform: AS_IS")->features,
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2), ElementsAre(3)));
  EXPECT_THAT(
      LearnAndEncode(text, "label: 'y' transform: BUCKET buckets: 2")->features,
      ElementsAre(ElementsAre(1, 0), ElementsAre(1, 0), ElementsAre(0, 1), ElementsAre(0, 1)));
  const auto log = LearnAndEncode("x,y\n0,0\n3,1\n", "label: 'y' transform: LOG");
  EXPECT_THAT(log->features, ElementsAre(ElementsAre(-1), ElementsAre(1)));
}

// The values that are there are 2 and 4: mean 3, deviation 1.
TEST(RowEncoderTest, MissingNumbersGoWhereThePolicySays) {
  const std::string text = "x,y\n2,0\n4,1\n,0\n";
  EXPECT_THAT(LearnAndEncode(text, "label: 'y'")->features,
              ElementsAre(ElementsAre(-1), ElementsAre(1), ElementsAre(0)));
  EXPECT_THAT(LearnAndEncode(text, "label: 'y' missing_number: ZERO")->features,
              ElementsAre(ElementsAre(-1), ElementsAre(1), ElementsAre(-3)));
  EXPECT_THAT(LearnAndEncode(text, "label: 'y' missing_number: INDICATOR")->features,
              ElementsAre(ElementsAre(-1, 0), ElementsAre(1, 0), ElementsAre(0, 1)));
  EXPECT_THAT(
      LearnAndEncode(text, "label: 'y' missing_number: INDICATOR transform: BUCKET buckets: 2")
          ->features,
      ElementsAre(ElementsAre(1, 0, 0), ElementsAre(0, 1, 0), ElementsAre(0, 0, 1)));
  EXPECT_THAT(LearnAndEncode(text, "label: 'y' transform: AS_IS")->features,
              ElementsAre(ElementsAre(2), ElementsAre(4), ElementsAre(3)));
}

TEST(RowEncoderTest, MissingCategoriesGoWhereThePolicySays) {
  const std::string text = "c,y\na,0\na,1\n?,0\n";
  EXPECT_THAT(LearnAndEncode(text, "label: 'y'")->features,
              ElementsAre(ElementsAre(1, 0), ElementsAre(1, 0), ElementsAre(0, 1)));
  EXPECT_THAT(LearnAndEncode(text, "label: 'y' missing_category: ZERO")->features,
              ElementsAre(ElementsAre(1), ElementsAre(1), ElementsAre(0)));
  EXPECT_THAT(LearnAndEncode(text, "label: 'y' missing_value: 'none'")->features,
              ElementsAre(ElementsAre(1, 0), ElementsAre(1, 0), ElementsAre(0, 1)))
      << "a category of one row: unknown";
}

TEST(RowEncoderTest, ANumberCanStandForAMissingValue) {
  EXPECT_THAT(LearnAndEncode("x,y\n2,0\n4,1\n999,0\n", "label: 'y' missing_value: '999'")->features,
              ElementsAre(ElementsAre(-1), ElementsAre(1), ElementsAre(0)));
}

TEST(RowEncoderTest, UnseenCategoriesAreUnknownOrZeros) {
  const auto without = Learn("c,y\na,0\na,1\nb,0\nb,1\n", "label: 'y'");
  EXPECT_THAT(Encode(*without, "c,y\nz,0\n,1\n")->features,
              ElementsAre(ElementsAre(0, 0), ElementsAre(0, 0)));
  const auto with = Learn("c,y\na,0\na,1\nonce,0\n", "label: 'y'");
  EXPECT_THAT(Encode(*with, "c,y\nz,0\nonce,1\na,1\n")->features,
              ElementsAre(ElementsAre(0, 1), ElementsAre(0, 1), ElementsAre(1, 0)));
}

// xxh3 of "" and "a", from the reference program `xxhsum -H3`.
TEST(RowEncoderTest, HashedCategoriesGoToTheRestOfTheirXxh3) {
  const auto schema = Learn("c,y\na,0\n,1\n", "label: 'y' column { name: 'c' hash_buckets: 7 }");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const auto rows = Encode(*schema, "c,y\na,0\n,1\n");
  EXPECT_EQ(rows->features[0][0xe6c632b61e964e1fULL % 7], 1);
  EXPECT_EQ(rows->features[1][0x2d06800538d394c2ULL % 7], 1);
}

TEST(RowEncoderTest, ColumnsAreMatchedByNameInAnyOrderAndOthersPassedOver) {
  const auto schema = Learn("x,z,y\n1,10,no\n3,30,yes\n", "label: 'y'");
  const auto rows = Encode(*schema, "more,y,z,x\nq,yes,10,3\n");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(rows->features, ElementsAre(ElementsAre(1, -1)));
  EXPECT_THAT(rows->labels, ElementsAre(1));
}

TEST(RowEncoderTest, AFileWithoutTheLabelHasNone) {
  const auto schema = Learn("x,y\n1,no\n3,yes\n", "label: 'y'");
  EXPECT_FALSE(Encode(*schema, "x\n1\n")->labelled);
  EXPECT_FALSE(Encode(*schema, "x,y\n1,never seen\n", 0, /*read_labels=*/false)->labelled);
}

TEST(RowEncoderTest, WithoutHeaderColumnsAreMatchedByPlaceWithOrWithoutTheLabel) {
  const auto schema = Learn("1,no,10\n3,yes,30\n", "label: '2' header: false");
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_THAT(Encode(*schema, "1,yes,30\n")->features, ElementsAre(ElementsAre(-1, 1)));
  const auto unlabelled = Encode(*schema, "3,10\n");
  EXPECT_THAT(unlabelled->features, ElementsAre(ElementsAre(1, -1)));
  EXPECT_FALSE(unlabelled->labelled);
  EXPECT_THAT(Encode(*schema, "3,10,1,1\n").status(),
              Fails(kInvalid, HasSubstr("expected 3 fields")));
}

TEST(RowEncoderTest, AllColumnsThatAreNotThereAreNamedAndSuggested) {
  const auto schema = Learn("age,income,y\n1,10,no\n3,30,yes\n", "label: 'y'");
  EXPECT_THAT(Encode(*schema, "Agee,salary\n1,2\n").status(),
              Fails(kInvalid,
                    AllOf(HasSubstr("b.csv: the model was trained on columns"),
                          HasSubstr("\"age\", did you mean \"Agee\"?"), HasSubstr("\"income\""))));
}

TEST(RowEncoderTest, AClassThatTheTrainingDataDoNotHaveIsNamed) {
  const auto schema = Learn("x,y\n1,no\n3,yes\n", "label: 'y'");
  EXPECT_THAT(Encode(*schema, "x,y\n1,no\n2,maybe\n").status(),
              Fails(kInvalid, HasSubstr("b.csv:3: column \"y\": \"maybe\" is none of the 2 classes "
                                        "of the training data: no, yes")));
}

TEST(RowEncoderTest, BadLinesAreSkippedUpToTheLimit) {
  const auto schema = Learn("x,y\n1,no\n3,yes\n", "label: 'y'");
  EXPECT_THAT(Encode(*schema, "x,y\n1,no\n2,3,4\nfoo,no\n3,yes\n", 2)->labels, ElementsAre(0, 1));
  EXPECT_THAT(Encode(*schema, "x,y\n1,no\n2,3,4\nfoo,no\n3,yes\n", 1).status(),
              Fails(kInvalid, HasSubstr("b.csv:4")));
}

}  // namespace
}  // namespace convoy
