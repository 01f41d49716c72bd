#include "worker/data/csv/extended_schema.h"

#include <string>
#include <vector>

#include "tests/worker/data/csv/csv_text.h"
#include "worker/data/csv/schema_layout.h"

namespace convoy {
namespace {

using ::convoy::testing::Encode;
using ::convoy::testing::Fails;
using ::convoy::testing::kInvalid;
using ::convoy::testing::Learn;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSettings[] = "label: 'y' min_count: 1";
constexpr char kOldRows[] = "x,c,y\n1,b,no\n3,a,yes\n";
// Other numbers, a new category, class and column, and another order.
constexpr char kNewRows[] = "d,c,y,x\nu,b,maybe,10\nv,z,no,30\nu,a,yes,10\n";

v1::Schema Extended(std::string_view old_rows, std::string_view new_rows) {
  const auto extended =
      ExtendSchema(*Learn(old_rows, kSettings), *Learn(new_rows, kSettings), "new.csv");
  EXPECT_TRUE(extended.ok()) << extended.status();
  return extended.ok() ? *extended : v1::Schema();
}

TEST(ExtendedSchemaTest, OldFeaturesKeepTheirPlacesAndNewOnesFollow) {
  const v1::Schema schema = Extended(kOldRows, kNewRows);
  EXPECT_TRUE(CheckSchema(schema).ok()) << CheckSchema(schema);
  EXPECT_THAT(schema.label().class_name(), ElementsAre("no", "yes", "maybe"));
  const auto rows = Encode(schema, kNewRows);
  ASSERT_TRUE(rows.ok()) << rows.status();
  // x by its old mean 2 and deviation 1; c = a, b; c = z; d = u, v.
  EXPECT_THAT(rows->features,
              ElementsAre(ElementsAre(8, 0, 1, 0, 1, 0), ElementsAre(28, 0, 0, 1, 0, 1),
                          ElementsAre(8, 1, 0, 0, 1, 0)));
  EXPECT_THAT(rows->labels, ElementsAre(2, 0, 1));
}

TEST(ExtendedSchemaTest, RowsWithoutAnythingNewAreWhatTheyWere) {
  const v1::Schema before = *Learn(kOldRows, kSettings);
  const auto was = Encode(before, kOldRows);
  const auto now = Encode(Extended(kOldRows, "x,c,y\n1,z,no\n5,a,yes\n"), kOldRows);
  ASSERT_TRUE(now.ok()) << now.status();
  for (size_t i = 0; i < was->features.size(); ++i) {
    std::vector<float> first(now->features[i].begin(), now->features[i].begin() + 3);
    EXPECT_EQ(first, was->features[i]);
    EXPECT_EQ(now->features[i].back(), 0);
  }
}

TEST(ExtendedSchemaTest, ItGrowsAgainAndAgain) {
  const v1::Schema once = Extended(kOldRows, "x,c,y\n1,z,no\n5,b,yes\n");
  const auto twice =
      ExtendSchema(once, *Learn("x,c,y\n1,z,no\n5,q,yes\n", kSettings), "newest.csv");
  ASSERT_TRUE(twice.ok()) << twice.status();
  EXPECT_TRUE(CheckSchema(*twice).ok()) << CheckSchema(*twice);
  EXPECT_THAT(Encode(*twice, "x,c,y\n2,a,no\n2,b,no\n2,z,no\n2,q,no\n")->features,
              ElementsAre(ElementsAre(0, 1, 0, 0, 0), ElementsAre(0, 0, 1, 0, 0),
                          ElementsAre(0, 0, 0, 1, 0), ElementsAre(0, 0, 0, 0, 1)));
}

TEST(ExtendedSchemaTest, ColumnsThatAreGoneOrOtherwiseAreNamed) {
  const v1::Schema before = *Learn(kOldRows, kSettings);
  EXPECT_THAT(ExtendSchema(before, *Learn("x,y\n1,no\n2,yes\n", kSettings), "new.csv").status(),
              Fails(kInvalid, AllOf(HasSubstr("new.csv"), HasSubstr("column \"c\""),
                                    HasSubstr("is not there"))));
  EXPECT_THAT(
      ExtendSchema(before, *Learn("x,c,y\n1,7,no\n2,8,yes\n", kSettings), "new.csv").status(),
      Fails(kInvalid, AllOf(HasSubstr("column \"c\" is numeric"),
                            HasSubstr("in init.from it is categorical"))));
  const v1::Schema numbers =
      *Learn("x,c,y\n1,a,4\n2,b,5\n", "label: 'y' min_count: 1 label_type: NUMBER");
  EXPECT_THAT(ExtendSchema(before, numbers, "new.csv").status(),
              Fails(kInvalid, HasSubstr("column \"y\" is a number")));
}

TEST(ExtendedSchemaTest, MoreCategoriesOfNothingAreNoSchema) {
  v1::Schema schema = Extended(kOldRows, kNewRows);
  for (v1::FeatureColumn& column : *schema.mutable_column()) {
    if (column.more()) column.set_name("x");
  }
  EXPECT_THAT(CheckSchema(schema), Fails(kInvalid, HasSubstr("more: ")));
}

}  // namespace
}  // namespace convoy
